#include "index/blocks/tsm_timestamps.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "index/tsm/tsm_index.h"

namespace tsmfs::index {
namespace {

// A block with these encoded times.
ByteBuffer block_of(const ByteBuffer& times) {
  ByteBuffer block(kTsmCrcBytes + 1);
  ByteWriter(block).sized(times);
  block.push_back(std::byte{7});
  return block;
}

void put_be(ByteBuffer& to, uint64_t value) {
  std::byte bytes[8];
  store_be(bytes, value);
  append(to, bytes);
}

std::vector<int64_t> decode(const ByteBuffer& times) {
  const ByteBuffer block = block_of(times);
  TsmTimeCursor cursor(block);
  std::vector<int64_t> out;
  while (const auto time = cursor.next()) out.push_back(*time);
  return out;
}

TEST(TsmTimestamps, RawDeltas) {
  ByteBuffer times = {std::byte{0x00}};
  for (const uint64_t delta : {uint64_t{100}, uint64_t{5}, uint64_t{1} << 61}) put_be(times, delta);
  EXPECT_EQ(decode(times), (std::vector<int64_t>{100, 105, 105 + (int64_t{1} << 61)}));
}

TEST(TsmTimestamps, RunLength) {
  ByteBuffer times = {std::byte{0x29}};  // in seconds
  put_be(times, 1'600'000'000'000'000'000);
  ByteWriter(times).varint(10);
  ByteWriter(times).varint(3);
  EXPECT_EQ(decode(times),
            (std::vector<int64_t>{1'600'000'000'000'000'000, 1'600'000'010'000'000'000,
                                  1'600'000'020'000'000'000}));
}

TEST(TsmTimestamps, Simple8b) {
  ByteBuffer times = {std::byte{0x13}};  // in units of 1000
  put_be(times, 5'000);
  put_be(times,
         uint64_t{13} << 60 | 7 | uint64_t{8} << 20 | uint64_t{9} << 40);  // three of 20 bits
  put_be(times, uint64_t{15} << 60 | 1'000'000);                           // one of 60 bits
  EXPECT_EQ(decode(times), (std::vector<int64_t>{5'000, 12'000, 20'000, 29'000, 1'000'029'000}));
  ByteBuffer ones = {std::byte{0x10}};
  put_be(ones, 1);
  put_be(ones, uint64_t{1} << 60);
  EXPECT_EQ(decode(ones).size(), 121u);
  EXPECT_EQ(decode(ones).back(), 121);
}

TEST(TsmTimestamps, RejectsWhatCannotBe) {
  EXPECT_THROW(decode({}), TsmFormatError);
  EXPECT_THROW(decode({std::byte{0x30}}), TsmFormatError);                // encoding 3
  EXPECT_THROW(decode({std::byte{0x1f}}), TsmFormatError);                // 10^15
  EXPECT_THROW(decode({std::byte{0x00}, std::byte{1}}), TsmFormatError);  // half a time
  ByteBuffer bomb = {std::byte{0x20}};
  put_be(bomb, 0);
  ByteWriter(bomb).varint(1);
  ByteWriter(bomb).varint(uint64_t{1} << 40);
  EXPECT_THROW(decode(bomb), TsmFormatError);
  ByteBuffer words = {std::byte{0x10}};  // 274 words of 240 deltas
  put_be(words, 0);
  for (int i = 0; i < 274; ++i) put_be(words, 0);
  EXPECT_THROW(decode(words), TsmFormatError);
}

TEST(TsmTimestamps, EmptyAndLargestBlocks) {
  EXPECT_EQ(decode({std::byte{0x00}}), std::vector<int64_t>());
  ByteBuffer run = {std::byte{0x20}};
  put_be(run, 5);
  ByteWriter(run).varint(0);
  ByteWriter(run).varint(kTsmPointsPerBlockMax);
  EXPECT_EQ(decode(run), std::vector<int64_t>(kTsmPointsPerBlockMax, 5));
}

TEST(TsmTimestamps, SurvivesAnyBytes) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    ByteBuffer block(random() % 64);
    for (std::byte& byte : block) byte = static_cast<std::byte>(random());
    try {
      TsmTimeCursor cursor(block);
      while (cursor.next()) {
      }
    } catch (const TsmFormatError&) {
    }
  }
}

}  // namespace
}  // namespace tsmfs::index
