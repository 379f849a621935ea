#include "index/codec/mixed_frame.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "index/base/error.h"
#include "index/blocks/block_codec.h"
#include "index/codec/frame_codec.h"
#include "index/codec/section.h"
#include "index/tsm/tsm_index.h"
#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

std::string sample_index(int hosts) {
  test::KeyTimes keys;
  for (int host = 0; host < hosts; ++host)
    keys[fmt::format("cpu,host=host{:03}#!~#usage", host)] = {1, 2, 3, 4, 5};
  const ByteBuffer tsm = test::make_point_tsm(keys, 2);
  const uint64_t begin = load_be<uint64_t>(tsm.data() + tsm.size() - kTsmFooterBytes);
  return std::string(as_text(tsm)).substr(begin, tsm.size() - kTsmFooterBytes - begin);
}

struct Frame {
  std::string raw;
  std::vector<BlobEntry> chunks;
  Codec codec = Codec::kRaw;
  RawBuffer stored;

  explicit Frame(const std::vector<std::string>& bytes, std::string_view compression = "5",
                 bool was_in_columns = false) {
    for (const std::string& chunk : bytes) {
      raw += chunk;
      chunks.push_back({{}, static_cast<uint32_t>(chunk.size()), 0});
    }
    codec = FrameCompressor(Compression::parse(compression))
                .compress_chunks(as_bytes(raw), chunks, was_in_columns, stored);
  }
  std::string decoded(ByteView from, size_t length) const {
    std::string out(length, 'x');
    decompress_frame(codec, from, std::as_writable_bytes(std::span(out)), "frame");
    return out;
  }
};

TEST(MixedFrame, EachChunkIsStoredInItsWay) {
  const std::string index = sample_index(50), words(3000, 'w'),
                    noise(as_text(test::random_bytes(3000, 1)));
  for (const auto& chunks :
       std::vector<std::vector<std::string>>{{index},
                                             {words, index},
                                             {index, words},
                                             {index, index, noise, words, index, noise},
                                             {noise, index, noise, sample_index(2), words}}) {
    const Frame frame(chunks);
    EXPECT_EQ(frame.codec, Codec::kMixed);
    EXPECT_EQ(frame.decoded(frame.stored.view(), frame.raw.size()), frame.raw);
  }
  const Frame mixed({noise, index}), plain({noise + index});
  EXPECT_NE(plain.codec, Codec::kMixed);
  EXPECT_LT(mixed.stored.size() - noise.size(), (plain.stored.size() - noise.size()) / 2);
}

std::string sample_block(int64_t salt) {
  TsmPoints points;
  for (int64_t i = 0; i < 1000; ++i) {
    points.times_ns.push_back(i * 1'000'000'000);
    points.values.push_back(
        std::bit_cast<uint64_t>(static_cast<double>(i * i * salt % 9973) / 100));
  }
  TsmBlockEncoder encoder;
  return std::string(as_text(encoder.encode(points, TsmDialect::kStream)));
}

TEST(MixedFrame, BlocksAreStoredAsColumnsIfThatIsWanted) {
  const std::string index = sample_index(50), words(3000, 'w');
  const std::vector<std::string> chunks = {sample_block(3), sample_block(7), index, words,
                                           sample_block(11)};
  const Frame plain(chunks), columns(chunks, "columns"), kept(chunks, "5", true);
  EXPECT_FALSE(has_columns(plain.codec, plain.stored.view()));
  for (const Frame* frame : {&columns, &kept}) {
    EXPECT_TRUE(has_columns(frame->codec, frame->stored.view()));
    EXPECT_LT(frame->stored.size(), plain.stored.size() * 3 / 4);
    EXPECT_EQ(frame->decoded(frame->stored.view(), frame->raw.size()), frame->raw);
  }
  // Where they are not smaller so, they stay as they are.
  EXPECT_FALSE(has_columns(Frame({words, words}, "columns").codec, {}));
}

TEST(MixedFrame, WithoutAnIndexItIsAFrameAsBefore) {
  EXPECT_EQ(Frame({std::string(1000, 'w'), "x"}).codec, Codec::kZstd);
  EXPECT_EQ(Frame({std::string(as_text(test::random_bytes(1000, 1)))}).codec, Codec::kRaw);
  EXPECT_EQ(Frame({sample_index(50)}, "none").codec, Codec::kRaw);
}

TEST(MixedFrame, DamageIsTold) {
  const Frame frame({std::string(300, 'w'), sample_index(3), "y"});
  ASSERT_EQ(frame.codec, Codec::kMixed);
  const ByteView stored = frame.stored.view();
  for (size_t length = 0; length < stored.size(); ++length)
    EXPECT_THROW(frame.decoded(stored.first(length), frame.raw.size()), CorruptError);
  for (const size_t length : {size_t{0}, frame.raw.size() - 1, frame.raw.size() + 1})
    EXPECT_THROW(frame.decoded(stored, length), CorruptError);
  ByteBuffer longer(stored.begin(), stored.end());
  longer.push_back(std::byte{0});
  EXPECT_THROW(frame.decoded(longer, frame.raw.size()), CorruptError);
}

// Two pieces that are one, a piece of no length, a kind that is none, one that does not fit.
TEST(MixedFrame, AnOddListOfPiecesIsDamage) {
  for (const std::vector<uint64_t>& pieces : std::vector<std::vector<uint64_t>>{
           {2 << 2, 1 << 2}, {0, 3 << 2}, {3 << 2 | 3}, {4 << 2}, {}}) {
    ByteBuffer stored;
    ByteWriter writer(stored);
    writer.varint(pieces.size());
    for (const uint64_t piece : pieces) writer.varint(piece);
    ByteBuffer section;
    ZstdCompressor zstd(3);
    append_section(section, as_bytes("abc"), zstd);
    writer.sized(section);
    std::string out(3, 'x');
    EXPECT_THROW(decode_mixed_frame(stored, std::as_writable_bytes(std::span(out)), "frame"),
                 CorruptError);
  }
}

}  // namespace
}  // namespace tsmfs::index
