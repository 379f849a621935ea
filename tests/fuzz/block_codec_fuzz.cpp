// TSM blocks and their points: decode_tsm_block, TsmBlockEncoder.
//
// The first byte says what the others are: a block's type and all behind it, whose CRC is put
// right, or points to encode, in words of eight bytes.
#include "index/blocks/block_codec.h"

#include <algorithm>

#include "index/blocks/float_codec.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

constexpr uint8_t kPointsBit = 1;

void try_block(ByteView behind_crc) {
  ByteBuffer block(index::kTsmCrcBytes);
  append(block, behind_crc);
  store_be(block.data(), index::update_tsm_crc(0, behind_crc));
  index::TsmPoints points;
  index::TsmBlockEncoder encoder;
  const auto dialect = index::find_tsm_dialect(block, points, encoder);
  require(points.times_ns.size() <= index::kTsmPointsPerBlockMax, "no more points than may be");
  require(points.text.size() <= 22 * block.size(), "no more text than the block can hold");
  if (dialect)
    require(as_text(encoder.encode(points, *dialect)) == as_text(block), "the block comes back");
}

// Half of the words are times, the others values.
index::TsmPoints points_of(uint8_t type, ByteView words) {
  index::TsmPoints points;
  points.type = type;
  for (; words.size() >= 16; words = words.subspan(16)) {
    points.times_ns.push_back(static_cast<int64_t>(load_be<uint64_t>(words.data())));
    const auto value = load_be<uint64_t>(words.data() + 8);
    if (type == index::kTsmStringType) {
      append(points.text, words.subspan(8, 1 + value % 8));
      points.text_ends.push_back(static_cast<uint32_t>(points.text.size()));
    } else {
      points.values.push_back(type == index::kTsmBooleanType ? value & 1 : value);
    }
  }
  if (type == index::kTsmFloatType)
    std::ranges::replace(points.values, index::kTsmFloatsEnd, uint64_t{0});
  return points;
}

void try_points(const index::TsmPoints& points) {
  if (points.times_ns.empty()) return;
  index::TsmBlockEncoder encoder;
  index::TsmPoints decoded;
  for (const auto dialect : {index::TsmDialect::kStream, index::TsmDialect::kBatch}) {
    index::decode_tsm_block(encoder.encode(points, dialect), decoded);
    require(decoded.times_ns == points.times_ns && decoded.values == points.values,
            "the points come back");
    require(points.type != index::kTsmStringType ||
                (decoded.text == points.text && decoded.text_ends == points.text_ends),
            "the strings come back");
  }
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  if (size == 0) return 0;
  const ByteView input = fuzz::input_bytes(data, size).subspan(1);
  if ((data[0] & fuzz::kPointsBit) == 0)
    fuzz::try_block(input);
  else
    fuzz::try_points(fuzz::points_of(static_cast<uint8_t>(data[0] >> 1) % 5, input));
  return 0;
}
