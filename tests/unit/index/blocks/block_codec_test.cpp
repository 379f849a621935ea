#include "index/blocks/block_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <array>
#include <random>
#include <vector>

#include "index/blocks/float_codec.h"
#include "index/blocks/string_codec.h"
#include "tests/support/awkward_points.h"

namespace tsmfs::index {
namespace {

constexpr std::array kAllTypes = {kTsmFloatType, kTsmIntegerType, kTsmBooleanType, kTsmStringType,
                                  kTsmUnsignedType};

void expect_same_points(const TsmPoints& decoded, const TsmPoints& points) {
  EXPECT_EQ(decoded.type, points.type);
  EXPECT_EQ(decoded.times_ns, points.times_ns);
  EXPECT_EQ(decoded.values, points.values);
  if (points.type != kTsmStringType) return;
  EXPECT_EQ(decoded.text, points.text);
  EXPECT_EQ(decoded.text_ends, points.text_ends);
}

// Encoded in both dialects, each decoded to the same points, and known again.
void expect_both_ways(const TsmPoints& points) {
  TsmBlockEncoder encoder, other;
  const ByteView stream = encoder.encode(points, TsmDialect::kStream);
  const ByteBuffer as_stream(stream.begin(), stream.end());
  for (const TsmDialect dialect : {TsmDialect::kStream, TsmDialect::kBatch}) {
    const ByteView block = encoder.encode(points, dialect);
    ASSERT_TRUE(is_sound_tsm_block(block));
    TsmPoints decoded;
    decode_tsm_block(block, decoded);
    expect_same_points(decoded, points);
    const bool differs = as_text(block) != as_text(as_stream);
    EXPECT_EQ(find_tsm_dialect(block, decoded, other),
              differs ? TsmDialect::kBatch : TsmDialect::kStream);
  }
}

TEST(BlockCodec, EveryAwkwardPointComesBack) {
  EXPECT_TRUE(rc::check([] {
    const auto count = *rc::gen::inRange<size_t>(1, 700);
    const auto type = *rc::gen::elementOf(kAllTypes);
    std::mt19937_64 random(*rc::gen::arbitrary<uint64_t>());
    expect_both_ways(test::awkward_points(random, type, count));
    RC_ASSERT(!::testing::Test::HasFailure());
  }));
}

TEST(BlockCodec, SmallAndLargeBlocks) {
  std::mt19937_64 random(1);
  for (const uint8_t type : kAllTypes)
    for (const size_t count : std::vector<size_t>{1, 2, 3, 120, 121, 240, 241, 242, 1000, 10'000})
      for (int i = 0; i < (count < 1000 ? 40 : 3); ++i)
        expect_both_ways(test::awkward_points(random, type, count));
}

TEST(BlockCodec, AsManyPointsAsABlockMayHave) {
  std::mt19937_64 random(2);
  expect_both_ways(test::awkward_points(random, kTsmIntegerType, kTsmPointsPerBlockMax));
  TsmBlockEncoder encoder;
  const auto points = test::awkward_points(random, kTsmFloatType, kTsmPointsPerBlockMax + 1);
  TsmPoints decoded;
  EXPECT_THROW(decode_tsm_block(encoder.encode(points, TsmDialect::kBatch), decoded),
               TsmFormatError);
}

TEST(BlockCodec, StringsOfMegabytes) {
  std::mt19937_64 random(3);
  TsmPoints points;
  points.type = kTsmStringType;
  for (int64_t i = 0; i < 3; ++i) {
    points.times_ns.push_back(i * i);
    for (size_t k = 0; k < 2'800'000; ++k)
      points.text.push_back(static_cast<std::byte>(i == 1 ? random() : k % 97));
    points.text_ends.push_back(static_cast<uint32_t>(points.text.size()));
  }
  expect_both_ways(points);
}

// What no encoder gives: the block is to be kept as it is, and nothing worse happens.
TEST(BlockCodec, ChangedBlocksAreKnownOrStayAsTheyAre) {
  std::mt19937_64 random(4);
  TsmBlockEncoder encoder, other;
  TsmPoints decoded;
  for (int i = 0; i < 3000; ++i) {
    const auto points = test::awkward_points(random, kAllTypes[random() % 5], 1 + random() % 40);
    const ByteView block = encoder.encode(points, TsmDialect::kStream);
    ByteBuffer changed(block.begin(), block.end());
    changed[kTsmCrcBytes + random() % (changed.size() - kTsmCrcBytes)] ^=
        static_cast<std::byte>(1 << random() % 8);
    EXPECT_FALSE(find_tsm_dialect(changed, decoded, other)) << "its CRC is wrong";
    store_be(changed.data(), update_tsm_crc(0, ByteView(changed).subspan(kTsmCrcBytes)));
    if (const auto dialect = find_tsm_dialect(changed, decoded, other)) {
      EXPECT_EQ(as_text(other.encode(decoded, *dialect)), as_text(changed));
    }
  }
}

TEST(BlockCodec, CutBlocksAndNoiseAreNone) {
  std::mt19937_64 random(5);
  TsmBlockEncoder encoder, other;
  TsmPoints decoded;
  for (const uint8_t type : kAllTypes) {
    const ByteView block =
        encoder.encode(test::awkward_points(random, type, 20), TsmDialect::kStream);
    for (size_t length = 0; length < block.size(); ++length)
      EXPECT_FALSE(find_tsm_dialect(block.first(length), decoded, other));
  }
  for (int i = 0; i < 20'000; ++i) {
    ByteBuffer noise(random() % 64);
    for (std::byte& byte : noise) byte = static_cast<std::byte>(random());
    EXPECT_FALSE(find_tsm_dialect(noise, decoded, other));
  }
}

TEST(BlockCodec, PointsThatAreClaimedTakeLittle) {
  ByteBuffer block(kTsmCrcBytes + 1);
  ByteBuffer times = {std::byte{0x20}};
  times.resize(9);
  ByteWriter(times).varint(1);
  ByteWriter(times).varint(uint64_t{1} << 60);
  ByteWriter(block).sized(times);
  TsmPoints decoded;
  EXPECT_THROW(decode_tsm_block(block, decoded), TsmFormatError);
  EXPECT_EQ(decoded.times_ns.capacity(), 0u);
}

TEST(BlockCodec, NoPointsAreNoBlock) {
  ByteBuffer block(kTsmCrcBytes + 1);
  ByteWriter(block).sized(ByteBuffer{std::byte{0x00}});
  block.push_back(std::byte{0x10});
  TsmPoints decoded;
  EXPECT_THROW(decode_tsm_block(block, decoded), TsmFormatError);
}

}  // namespace
}  // namespace tsmfs::index
