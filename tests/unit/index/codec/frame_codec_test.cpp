#include "index/codec/frame_codec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

constexpr size_t kFrameBytes = size_t{256} << 10;

struct Stored {
  Codec codec;
  RawBuffer bytes;
};

Stored compress(ByteView raw, std::string_view level) {
  Stored stored{};
  stored.codec = FrameCompressor(Compression::parse(level)).compress(raw, stored.bytes);
  return stored;
}

ByteBuffer decompress(const Stored& stored, size_t length) {
  ByteBuffer raw(length);
  decompress_frame(stored.codec, stored.bytes.view(), raw, "frame");
  return raw;
}

class FrameCodec : public testing::TestWithParam<const char*> {};

TEST_P(FrameCodec, GivesBackWhatItTook) {
  ByteBuffer words(kFrameBytes);
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<std::byte>(i * i % 251);
  for (const ByteBuffer& raw : {words, test::random_bytes(kFrameBytes, 1), ByteBuffer(1), {}}) {
    EXPECT_EQ(decompress(compress(raw, GetParam()), raw.size()), raw);
  }
}

TEST_P(FrameCodec, StoresNoiseRaw) {
  EXPECT_EQ(compress(test::random_bytes(kFrameBytes, 1), GetParam()).codec, Codec::kRaw);
}

INSTANTIATE_TEST_SUITE_P(Levels, FrameCodec, testing::Values("none", "fast", "3", "5", "9", "19"));

// The middle, which is tried first, says nothing of the rest.
TEST(FrameCompressor, CompressesAFrameWithNoiseInTheMiddle) {
  ByteBuffer raw = test::random_bytes(kFrameBytes, 1);
  std::fill(raw.begin(), raw.begin() + kFrameBytes / 4, std::byte{7});
  const Stored stored = compress(raw, "5");
  EXPECT_EQ(stored.codec, Codec::kZstd);
  EXPECT_LT(stored.bytes.size(), kFrameBytes * 4 / 5);
  EXPECT_EQ(decompress(stored, raw.size()), raw);
}

TEST(FrameCompressor, StoresRawWhatGainsLessThanThreePercent) {
  ByteBuffer raw = test::random_bytes(kFrameBytes, 1);
  std::fill(raw.begin(), raw.begin() + kFrameBytes / 50, std::byte{7});
  EXPECT_EQ(compress(raw, "5").codec, Codec::kRaw);
}

}  // namespace
}  // namespace tsmfs::index
