#include "index/codec/columns_codec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "index/base/error.h"
#include "index/blocks/block_codec.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

TsmPoints points_of(uint8_t type, size_t count, int64_t step = 10) {
  TsmPoints points;
  points.type = type;
  for (size_t i = 0; i < count; ++i) {
    points.times_ns.push_back(1'700'000'000'000'000'000 + static_cast<int64_t>(i) * step);
    const auto number = static_cast<double>(i * 7919 % 1000);
    if (type == kTsmStringType) {
      append(points.text, as_bytes(fmt::format("state {}", i % 7)));
      points.text_ends.push_back(static_cast<uint32_t>(points.text.size()));
    } else if (type == kTsmFloatType) {
      points.values.push_back(std::bit_cast<uint64_t>(number / 100));
    } else {
      points.values.push_back(type == kTsmBooleanType ? i % 3 == 0 : i * 7919 % 1000 - 500);
    }
  }
  return points;
}

ByteBuffer block_of(const TsmPoints& points, TsmDialect dialect = TsmDialect::kStream) {
  TsmBlockEncoder encoder;
  const ByteView block = encoder.encode(points, dialect);
  return {block.begin(), block.end()};
}

struct Encoded {
  ByteBuffer raw, stored;
  explicit Encoded(const std::vector<ByteBuffer>& pieces) {
    ColumnsEncoder encoder;
    for (const ByteBuffer& piece : pieces) {
      EXPECT_TRUE(encoder.add(piece));
      append(raw, piece);
    }
    ZstdCompressor zstd(3);
    encoder.encode(stored, zstd);
  }
  ByteBuffer decoded() const { return decode(stored, raw.size()); }
  static ByteBuffer decode(ByteView stored, size_t length) {
    ByteBuffer out(length);
    decode_columns(stored, out, "frame");
    return out;
  }
};

std::vector<ByteBuffer> sample() {
  std::vector<ByteBuffer> blocks;
  for (uint8_t type = kTsmFloatType; type <= kTsmUnsignedType; ++type)
    for (const size_t count : {size_t{1}, size_t{2}, size_t{3}, size_t{1000}, size_t{10'000}})
      for (const TsmDialect dialect : {TsmDialect::kStream, TsmDialect::kBatch})
        blocks.push_back(block_of(points_of(type, count), dialect));
  return blocks;
}

TEST(ColumnsCodec, GivesBackWhatItTook) {
  const Encoded encoded(sample());
  EXPECT_EQ(encoded.decoded(), encoded.raw);
  EXPECT_LT(encoded.stored.size() * 2, encoded.raw.size());
}

TEST(ColumnsCodec, TimesAsBeforeAreStoredOnce) {
  std::vector<ByteBuffer> same, other;
  for (int i = 0; i < 100; ++i) {
    TsmPoints points = points_of(kTsmIntegerType, 50);
    for (int64_t& time : points.times_ns) time += time % 7;
    same.push_back(block_of(points));
    for (int64_t& time : points.times_ns) time += i * 1'000'003;
    other.push_back(block_of(points));
  }
  EXPECT_LT(Encoded(same).stored.size() * 2, Encoded(other).stored.size());
}

TEST(ColumnsCodec, BlocksThatAreJoinedAreToldApart) {
  ByteBuffer piece;
  for (uint8_t type = kTsmFloatType; type <= kTsmUnsignedType; ++type)
    for (size_t count = 1; count < 9; ++count) append(piece, block_of(points_of(type, count)));
  const Encoded encoded({piece, piece});
  EXPECT_EQ(encoded.decoded(), encoded.raw);
}

TEST(ColumnsCodec, WhatIsNoBlockIsNotTaken) {
  ColumnsEncoder encoder;
  const ByteBuffer block = block_of(points_of(kTsmFloatType, 100));
  ByteBuffer damaged = block, longer = block, twice = block;
  damaged[50] ^= std::byte{1};
  longer.push_back(std::byte{0});
  append(twice, ByteView(damaged));
  for (const ByteBuffer& piece : {ByteBuffer(), damaged, longer, twice, test::random_bytes(3000, 1),
                                  ByteBuffer(block.begin() + 1, block.end())})
    EXPECT_FALSE(encoder.add(piece));
  EXPECT_TRUE(encoder.is_empty());
}

// As another program may write them: sound, but not as a server would.
TEST(ColumnsCodec, ABlockThatWouldComeBackOtherwiseIsNotTaken) {
  TsmPoints points = points_of(kTsmBooleanType, 4);
  ByteBuffer block = block_of(points);
  block.back() |= std::byte{1};  // padding
  store_be(block.data(), update_tsm_crc(0, ByteView(block).subspan(kTsmCrcBytes)));
  ColumnsEncoder encoder;
  EXPECT_FALSE(encoder.add(block));
  // The length of the times in more bytes than it needs.
  ByteBuffer sound = block_of(points);
  const auto length = std::to_integer<unsigned>(sound[kTsmCrcBytes + 1]);
  sound[kTsmCrcBytes + 1] = static_cast<std::byte>(length | 0x80);
  sound.insert(sound.begin() + kTsmCrcBytes + 2, std::byte{0});
  store_be(sound.data(), update_tsm_crc(0, ByteView(sound).subspan(kTsmCrcBytes)));
  EXPECT_FALSE(encoder.add(sound));
}

TEST(ColumnsCodec, AFewBytesAskForLittleMemory) {
  ByteBuffer stored;
  ByteWriter writer(stored);
  writer.varint(uint64_t{200} << 20);  // bytes of the first section
  writer.sized(as_bytes("zstd"));
  try {
    Encoded::decode(stored, 1000);
    FAIL();
  } catch (const CorruptError& error) {
    EXPECT_NE(std::string(error.what()).find("where at most"), std::string::npos) << error.what();
  }
}

// A string has no order, a boolean is 0 or 1.
TEST(ColumnsCodec, WhatNoWriterMakesIsDamage) {
  constexpr size_t kKindAt = 2;  // behind the raw length, and the length 0
  Encoded strings({block_of(points_of(kTsmStringType, 2))});
  EXPECT_EQ(strings.decoded(), strings.raw);
  strings.stored[kKindAt] |= std::byte{32};
  EXPECT_THROW(strings.decoded(), CorruptError);
  TsmPoints points = points_of(kTsmIntegerType, 2);
  points.values = {1, 2};
  Encoded integers({block_of(points)});
  integers.stored[kKindAt] &= ~std::byte{7};
  integers.stored[kKindAt] |= std::byte{kTsmBooleanType};
  const ByteBuffer booleans = block_of(points_of(kTsmBooleanType, 2));
  EXPECT_THROW(Encoded::decode(integers.stored, booleans.size()), CorruptError);
}

TEST(ColumnsCodec, DamageIsTold) {
  const Encoded encoded({block_of(points_of(kTsmFloatType, 20)),
                         block_of(points_of(kTsmStringType, 5)),
                         block_of(points_of(kTsmIntegerType, 20))});
  for (size_t length = 0; length < encoded.stored.size(); ++length)
    EXPECT_THROW(Encoded::decode(ByteView(encoded.stored).first(length), encoded.raw.size()),
                 CorruptError);
  for (const size_t length : {size_t{0}, encoded.raw.size() - 1, encoded.raw.size() + 1})
    EXPECT_THROW(Encoded::decode(encoded.stored, length), CorruptError);
  for (size_t at = 0; at < encoded.stored.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      ByteBuffer damaged = encoded.stored;
      damaged[at] ^= static_cast<std::byte>(1u << bit);
      try {
        Encoded::decode(damaged, encoded.raw.size());  // other points of as many bytes, or
      } catch (const CorruptError&) {
      }
    }
}

}  // namespace
}  // namespace tsmfs::index
