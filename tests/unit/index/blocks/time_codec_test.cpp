#include "index/blocks/time_codec.h"

#include <gtest/gtest.h>

namespace tsmfs::index {
namespace {

using Times = std::vector<int64_t>;

ByteBuffer encode_times(const Times& times, TsmDialect dialect = TsmDialect::kStream) {
  std::vector<uint64_t> deltas;
  ByteBuffer out(tsm_times_bytes_max(times.size()));
  out.resize(
      static_cast<size_t>(encode_tsm_times(times, dialect, deltas, out.data()) - out.data()));
  Times decoded;
  decode_tsm_times(out, decoded);
  EXPECT_EQ(decoded, times);
  return out;
}

std::string hex_of_times(const Times& times) {
  return to_hex(encode_times(times));
}

TEST(TimeCodec, OneTimeHasNoWords) {
  EXPECT_EQ(hex_of_times({7}), "1c0000000000000007");
}

TEST(TimeCodec, EqualDeltasAreARun) {
  EXPECT_EQ(hex_of_times({1, 1'000'000'001}), "2900000000000000010102");
  EXPECT_EQ(hex_of_times({5, 5, 5}), "2c00000000000000050003");
  EXPECT_EQ(hex_of_times({0, 300, 600, 900}),
            "220000000000000000"
            "0304");
  // Also those that are too wide for a word.
  EXPECT_EQ(hex_of_times({INT64_MIN, -1}),
            "208000000000000000"
            "ffffffffffffffff7f"
            "02");
}

TEST(TimeCodec, DeltasInTheLargestUnitThatDividesAll) {
  EXPECT_EQ(hex_of_times({0, 2000, 5000}),
            "130000000000000000"
            "e0000000c0000002");
  EXPECT_EQ(hex_of_times({0, 2000, 5100}),
            "120000000000000000"
            "e0000007c0000014");
  EXPECT_EQ(encode_times({0, 1, 5000})[0], std::byte{0x10});
}

TEST(TimeCodec, WideDeltasAreRaw) {
  EXPECT_EQ(hex_of_times({0, int64_t{1} << 60, 0}),
            "00"
            "0000000000000000"
            "1000000000000000"
            "f000000000000000");
}

TEST(TimeCodec, DialectsDifferInRunsOfOnes) {
  Times times;
  for (int64_t i = 0; i < 200; ++i) times.push_back(i);
  times.push_back(1000);
  EXPECT_LT(encode_times(times, TsmDialect::kBatch).size(),
            encode_times(times, TsmDialect::kStream).size());
}

}  // namespace
}  // namespace tsmfs::index
