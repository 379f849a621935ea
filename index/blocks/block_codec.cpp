#include "index/blocks/block_codec.h"

#include <algorithm>
#include <cstring>

#include "index/blocks/boolean_codec.h"
#include "index/blocks/float_codec.h"
#include "index/blocks/integer_codec.h"
#include "index/blocks/string_codec.h"
#include "index/blocks/time_codec.h"

namespace tsmfs::index {

namespace {

constexpr size_t kBlockHeadBytesMax = kTsmCrcBytes + 1 + kTsmUvarintBytesMax;

size_t values_bytes_max(const TsmPoints& points, size_t plain_bytes) {
  const size_t count = points.times_ns.size();
  switch (points.type) {
    case kTsmFloatType:
      return tsm_floats_bytes_max(count);
    case kTsmBooleanType:
      return tsm_booleans_bytes_max(count);
    case kTsmStringType:
      return tsm_strings_bytes_max(plain_bytes);
    default:
      return tsm_integers_bytes_max(count);
  }
}

bool is_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

void decode_tsm_block(ByteView block, TsmPoints& points) {
  const TsmBlockParts parts = split_tsm_block(block);
  points.type = parts.type;
  decode_tsm_times(parts.times, points.times_ns);
  const size_t count = points.times_ns.size();
  if (count == 0) throw TsmFormatError{"a block without points"};
  points.values.resize(parts.type == kTsmStringType ? 0 : count);
  switch (parts.type) {
    case kTsmFloatType:
      return decode_tsm_floats(parts.values, points.values);
    case kTsmIntegerType:
    case kTsmUnsignedType:
      return decode_tsm_integers(parts.values, points.values);
    case kTsmBooleanType:
      return decode_tsm_booleans(parts.values, points.values);
    case kTsmStringType:
      return decode_tsm_strings(parts.values, count, points);
    default:
      throw TsmFormatError{"a block with values of an unknown type"};
  }
}

void TsmBlockEncoder::reserve(const TsmPoints& points) {
  if (points.type == kTsmStringType) join_tsm_strings(points, plain_);
  const size_t times_bytes = tsm_times_bytes_max(points.times_ns.size());
  const size_t bytes = kBlockHeadBytesMax + times_bytes + values_bytes_max(points, plain_.size());
  if (times_.size() < times_bytes) times_.resize(times_bytes);
  if (block_.capacity() < bytes) block_ = RawBuffer(bytes);
}

std::byte* TsmBlockEncoder::put_values(const TsmPoints& points, TsmDialect dialect, std::byte* to) {
  switch (points.type) {
    case kTsmFloatType:
      return encode_tsm_floats(points.values, to);
    case kTsmBooleanType:
      return encode_tsm_booleans(points.values, to);
    case kTsmStringType:
      return encode_tsm_strings(plain_, to);
    default:
      return encode_tsm_integers(points.values, dialect, deltas_, to);
  }
}

ByteView TsmBlockEncoder::encode(const TsmPoints& points, TsmDialect dialect) {
  reserve(points);
  const std::byte* const times_end =
      encode_tsm_times(points.times_ns, dialect, deltas_, times_.data());
  const auto times_bytes = static_cast<size_t>(times_end - times_.data());
  std::byte* to = block_.data() + kTsmCrcBytes;
  *to++ = static_cast<std::byte>(points.type);
  to = put_tsm_uvarint(to, times_bytes);
  std::memcpy(to, times_.data(), times_bytes);
  to = put_values(points, dialect, to + times_bytes);
  const ByteView block(block_.data(), static_cast<size_t>(to - block_.data()));
  store_be(block_.data(), update_tsm_crc(0, block.subspan(kTsmCrcBytes)));
  return block;
}

std::optional<TsmDialect> find_tsm_dialect(ByteView block, TsmPoints& points,
                                           TsmBlockEncoder& encoder) {
  try {
    decode_tsm_block(block, points);
  } catch (const TsmFormatError&) {
    return std::nullopt;
  }
  for (const TsmDialect dialect : {TsmDialect::kStream, TsmDialect::kBatch})
    if (is_equal(encoder.encode(points, dialect), block)) return dialect;
  return std::nullopt;
}

}  // namespace tsmfs::index
