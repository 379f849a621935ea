#include "snapshot/influxdb/wal_times.h"

#include <gtest/gtest.h>

#include <string>

namespace tsmfs::snapshot {
namespace {

template <typename T>
std::string be(T value) {
  std::byte bytes[sizeof(T)];
  store_be(bytes, value);
  return std::string(as_text(bytes));
}

// A key with points of one type; `value` is the same for all.
std::string key(char type, const std::string& value, const std::vector<int64_t>& times) {
  const std::string name = "cpu,host=a#!~#usage";
  std::string out = std::string(1, type) + be(static_cast<uint16_t>(name.size())) + name +
                    be(static_cast<uint32_t>(times.size()));
  for (const int64_t time : times) out += be(static_cast<uint64_t>(time)) + value;
  return out;
}

// As snappy keeps what it does not compress: the length, then a literal of up to 60 bytes each.
std::string snappy_literal(const std::string& content) {
  std::string out;
  size_t length = content.size();
  for (; length >= 0x80; length >>= 7) out += static_cast<char>(length | 0x80);
  out += static_cast<char>(length);
  for (size_t at = 0; at < content.size(); at += 60) {
    const std::string piece = content.substr(at, 60);
    out += static_cast<char>((piece.size() - 1) << 2);
    out += piece;
  }
  return out;
}
std::string entry(char type, const std::string& content) {
  const std::string packed = snappy_literal(content);
  return std::string(1, type) + be(static_cast<uint32_t>(packed.size())) + packed;
}
WalTimes times_of(const std::string& segment) {
  index::MemorySource source(as_bytes(segment));
  return read_wal_times(source);
}

const std::string kEight(8, 'v');

TEST(WalTimes, AreThoseOfAllTypesAndEntries) {
  const std::string first = key(1, kEight, {50, 40}) + key(2, kEight, {60}) + key(3, "v", {70, 80});
  const std::string second = key(4, be(uint32_t{3}) + "abc", {-5, 90}) + key(5, kEight, {100});
  const WalTimes found = times_of(entry(1, first) + entry(2, "deleted") + entry(1, second));
  EXPECT_TRUE(found.whole);
  EXPECT_EQ(found.points, (ShardTimes{{-5}, {100}}));
}

TEST(WalTimes, DeletesAndEmptySegmentsHaveNone) {
  EXPECT_TRUE(times_of("").whole);
  const std::string range = be(uint64_t{40}) + be(uint64_t{60}) + be(uint32_t{3}) + "key";
  const WalTimes found = times_of(entry(2, "deleted") + entry(3, range));
  EXPECT_TRUE(found.whole);
  EXPECT_FALSE(found.points);
}

TEST(WalTimes, WhatIsBeforeATornEndCounts) {
  const std::string sound = entry(1, key(1, kEight, {50}));
  const std::string torn = entry(1, key(1, kEight, {70}));
  for (size_t bytes = 1; bytes < torn.size(); ++bytes) {
    const WalTimes found = times_of(sound + torn.substr(0, bytes));
    EXPECT_FALSE(found.whole) << bytes;
    EXPECT_EQ(found.points, (ShardTimes{{50}, {50}})) << bytes;
  }
}

TEST(WalTimes, DamagedEntriesEndTheReading) {
  const std::string sound = entry(1, key(1, kEight, {50}));
  const std::string whole = key(1, kEight, {70, 80});
  for (const std::string& damaged :
       {entry(9, whole), entry(0, whole), entry(1, whole.substr(0, whole.size() - 1)),
        entry(1, key(6, kEight, {70})), std::string("\1\0\0\0\4\xff\xff\xff\xff", 9)}) {
    const WalTimes found = times_of(sound + damaged + entry(1, key(1, kEight, {5})));
    EXPECT_FALSE(found.whole);
    EXPECT_EQ(found.points->first, Timestamp{50});
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
