#include "snapshot/influxdb/wal_times.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/wal_log.h"

namespace tsmfs::snapshot {
namespace {

using test::big_endian, test::log_entry;

// A key with points of one type; `value` is the same for all.
std::string key(char type, const std::string& value, const std::vector<int64_t>& times) {
  const std::string name = "cpu,host=a#!~#usage";
  std::string out = std::string(1, type) + big_endian(static_cast<uint16_t>(name.size())) + name +
                    big_endian(static_cast<uint32_t>(times.size()));
  for (const int64_t time : times) out += big_endian(static_cast<uint64_t>(time)) + value;
  return out;
}

WalTimes times_of(const std::string& segment) {
  index::MemorySource source(as_bytes(segment));
  return read_wal_times(source);
}

const std::string kEight(8, 'v');

TEST(WalTimes, AreThoseOfAllTypesAndEntries) {
  const std::string first = key(1, kEight, {50, 40}) + key(2, kEight, {60}) + key(3, "v", {70, 80});
  const std::string second =
      key(4, big_endian(uint32_t{3}) + "abc", {-5, 90}) + key(5, kEight, {100});
  const WalTimes found =
      times_of(log_entry(1, first) + log_entry(2, "deleted") + log_entry(1, second));
  EXPECT_TRUE(found.whole);
  EXPECT_EQ(found.points, (ShardTimes{{-5}, {100}}));
}

TEST(WalTimes, DeletesAndEmptySegmentsHaveNone) {
  EXPECT_TRUE(times_of("").whole);
  const std::string range =
      big_endian(uint64_t{40}) + big_endian(uint64_t{60}) + big_endian(uint32_t{3}) + "key";
  const WalTimes found = times_of(log_entry(2, "deleted") + log_entry(3, range));
  EXPECT_TRUE(found.whole);
  EXPECT_FALSE(found.points);
}

TEST(WalTimes, WhatIsBeforeATornEndCounts) {
  const std::string sound = log_entry(1, key(1, kEight, {50}));
  const std::string torn = log_entry(1, key(1, kEight, {70}));
  for (size_t bytes = 1; bytes < torn.size(); ++bytes) {
    const WalTimes found = times_of(sound + torn.substr(0, bytes));
    EXPECT_FALSE(found.whole) << bytes;
    EXPECT_EQ(found.points, (ShardTimes{{50}, {50}})) << bytes;
  }
}

TEST(WalTimes, DamagedEntriesEndTheReading) {
  const std::string sound = log_entry(1, key(1, kEight, {50}));
  const std::string whole = key(1, kEight, {70, 80});
  for (const std::string& damaged :
       {log_entry(9, whole), log_entry(0, whole), log_entry(1, whole.substr(0, whole.size() - 1)),
        log_entry(1, key(6, kEight, {70})), std::string("\1\0\0\0\4\xff\xff\xff\xff", 9)}) {
    const WalTimes found = times_of(sound + damaged + log_entry(1, key(1, kEight, {5})));
    EXPECT_FALSE(found.whole);
    EXPECT_EQ(found.points->first, Timestamp{50});
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
