#include "index/base/bytes.h"

#include <gtest/gtest.h>

#include "index/base/error.h"

namespace tsmfs {
namespace {

TEST(Bytes, VarintsComeBack) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{300}, uint64_t{1} << 35, UINT64_MAX}) {
    ByteBuffer bytes;
    ByteWriter(bytes).varint(value);
    ByteReader reader(bytes, "test");
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(Bytes, SignedVarintsComeBack) {
  for (const int64_t value : {int64_t{0}, int64_t{-1}, int64_t{64}, INT64_MIN, INT64_MAX}) {
    ByteBuffer bytes;
    ByteWriter(bytes).svarint(value);
    EXPECT_EQ(ByteReader(bytes, "test").svarint(), value);
  }
}

TEST(Bytes, RejectsVarintThatIsTooLongOrNotShortest) {
  const ByteBuffer too_long(11, std::byte{0x80});
  EXPECT_THROW(ByteReader(too_long, "test").varint(), CorruptError);
  const ByteBuffer over_64_bits = {
      std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
      std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0x02}};
  EXPECT_THROW(ByteReader(over_64_bits, "test").varint(), CorruptError);
  const ByteBuffer padded = {std::byte{0x81}, std::byte{0x00}};
  EXPECT_THROW(ByteReader(padded, "test").varint(), CorruptError);
}

TEST(Bytes, RejectsCountThatCannotBe) {
  ByteBuffer bytes;
  ByteWriter(bytes).varint(1'000'000);
  EXPECT_THROW(ByteReader(bytes, "test").count(16), CorruptError);
}

TEST(Bytes, RejectsValueOverItsBoundAndBytesLeftOver) {
  ByteBuffer bytes;
  ByteWriter(bytes).varint(200);
  EXPECT_THROW(ByteReader(bytes, "test").varint(199), CorruptError);
  EXPECT_THROW(ByteReader(bytes, "test").expect_end(), CorruptError);
}

TEST(Bytes, BigEndianAndHex) {
  std::byte bytes[4];
  store_be(bytes, uint32_t{0x16D116D1});
  EXPECT_EQ(to_hex(bytes), "16d116d1");
  EXPECT_EQ(load_be<uint32_t>(bytes), 0x16D116D1u);
  std::byte back[4];
  from_hex("16d116d1", back);
  EXPECT_EQ(load_be<uint32_t>(back), 0x16D116D1u);
  EXPECT_THROW(from_hex("16D116D1", back), CorruptError);
  EXPECT_THROW(from_hex("16d116", back), CorruptError);
}

TEST(RawBuffer, MovedFromHoldsNothing) {
  RawBuffer first(100);
  first.resize(60);
  RawBuffer second(std::move(first));
  EXPECT_EQ(first.size(), 0u);  // NOLINT(bugprone-use-after-move): that is what is asked
  EXPECT_EQ(first.capacity(), 0u);
  EXPECT_TRUE(first.view().empty());
  EXPECT_EQ(second.size(), 60u);
  EXPECT_EQ(second.capacity(), 100u);
  RawBuffer third(7);
  third = std::move(second);
  EXPECT_EQ(second.size(), 0u);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.capacity(), 0u);
  EXPECT_EQ(third.size(), 60u);
}

}  // namespace
}  // namespace tsmfs
