#include "snapshot/influxdb/tombstone.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "snapshot/stream/gzip_sink.h"
#include "tests/support/gzip.h"
#include "tests/support/string_sink.h"
#include "tests/support/string_stream.h"

namespace tsmfs::snapshot {
namespace {

using Series = std::set<std::string>;

std::string big_endian(uint64_t value, size_t bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> bytes * 8);
  return text;
}
std::string record(const std::string& key) {
  return big_endian(key.size(), 4) + key + big_endian(1, 8) + big_endian(2, 8);
}
Tombstone tombstone_of(const std::string& file, TombstoneLimits limits = {},
                       size_t piece = SIZE_MAX) {
  support::StringStream stream(file, piece);
  return read_tombstone(stream, "1.tombstone", limits);
}
std::string complaint_about_tombstone(const std::string& file) {
  try {
    tombstone_of(file);
  } catch (const TombstoneError& error) {
    return error.what();
  }
  return {};
}

const std::string kV2 = std::string("\0\0\x15\x02", 4);
const std::string kV3 = std::string("\0\0\x15\x03", 4);
const std::string kV4 = std::string("\0\0\x15\x04", 4);

TEST(Tombstone, EmptyFileDeletesNothing) {
  EXPECT_TRUE(tombstone_of("").empty());
  EXPECT_TRUE(tombstone_of(kV2).empty());
  EXPECT_TRUE(tombstone_of(kV4).empty());
}

TEST(Tombstone, Version1IsLinesOfKeys) {
  for (const std::string end : {"", "\n"}) {
    const Tombstone found = tombstone_of("cpu,host=a#!~#idle\ncpu,host=a#!~#user\nm#!~#f" + end);
    EXPECT_EQ(found.version, 1u);
    EXPECT_EQ(found.series, (Series{"cpu,host=a", "m"}));
    EXPECT_FALSE(found.more_series);
  }
  EXPECT_EQ(tombstone_of("abc").series, Series{"abc"});
}

TEST(Tombstone, Version2IsRecords) {
  const Tombstone found = tombstone_of(kV2 + record("cpu,host=a#!~#idle") + record("net#!~#in"));
  EXPECT_EQ(found.version, 2u);
  EXPECT_EQ(found.series, (Series{"cpu,host=a", "net"}));
}

TEST(Tombstone, Version3IsOneGzipMember) {
  const Tombstone found = tombstone_of(kV3 + support::gzip(record("cpu#!~#idle")));
  EXPECT_EQ(found.version, 3u);
  EXPECT_EQ(found.series, Series{"cpu"});
}

TEST(Tombstone, Version4IsSeveralInPiecesOfAnySize) {
  const std::string file = kV4 + support::gzip(record("cpu#!~#idle")) +
                           support::gzip(record("net#!~#in")) +
                           support::gzip(record("disk#!~#free"));
  for (const size_t piece : {size_t{1}, size_t{7}, SIZE_MAX}) {
    const Tombstone found = tombstone_of(file, {}, piece);
    EXPECT_EQ(found.version, 4u);
    EXPECT_EQ(found.series, (Series{"cpu", "disk", "net"}));
  }
}

TEST(Tombstone, ReadsWhatInfluxd167Writes) {
  // DROP SERIES FROM net, in one shard.
  const unsigned char bytes[] = {
      0x00, 0x00, 0x15, 0x04, 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x62,
      0x60, 0x60, 0xb0, 0xcd, 0x4b, 0x2d, 0xd1, 0xc9, 0xc8, 0x2f, 0x2e, 0xb1, 0x2d, 0x4f, 0x4d,
      0xd2, 0x35, 0x30, 0x30, 0xd4, 0xc9, 0xcc, 0x2b, 0x49, 0x2d, 0x4a, 0x4b, 0x4c, 0x4e, 0xb5,
      0x4d, 0x2d, 0xc9, 0x30, 0xd0, 0x29, 0x4a, 0x4d, 0xcf, 0xcc, 0xcf, 0xb3, 0x2d, 0x2d, 0x8e,
      0x51, 0x48, 0x4d, 0x2c, 0x2e, 0x51, 0x56, 0xac, 0x53, 0x4e, 0xaa, 0x2c, 0x49, 0x2d, 0x8e,
      0x2f, 0x4a, 0x4d, 0x2e, 0x6b, 0x60, 0x80, 0x80, 0xfa, 0xff, 0x10, 0xc0, 0xc0, 0xc0, 0x60,
      0x49, 0x86, 0x81, 0xa9, 0x45, 0x45, 0xf9, 0x45, 0xc5, 0xe8, 0x86, 0x01, 0x02, 0x00, 0x00,
      0xff, 0xff, 0xe4, 0x70, 0xb6, 0x8a, 0x9e, 0x00, 0x00, 0x00};
  const Tombstone found =
      tombstone_of(std::string(reinterpret_cast<const char*>(bytes), sizeof bytes));
  EXPECT_EQ(found.version, 4u);
  EXPECT_EQ(found.series, Series{"net,host=web-001,interface=eth0,region=us\\ east"});
  EXPECT_FALSE(found.more_series);
}

TEST(Tombstone, NamesABoundedNumberOfSeries) {
  std::string records;
  for (int i = 0; i < 1000; ++i) records += record("cpu,host=" + std::to_string(i) + "#!~#idle");
  const Tombstone found = tombstone_of(kV4 + support::gzip(records), {2});
  EXPECT_EQ(found.series.size(), 2u);
  EXPECT_TRUE(found.more_series);
  EXPECT_TRUE(tombstone_of(kV4 + support::gzip(records), {5000, 100}).more_series);
  // What is behind the limit is not looked at.
  EXPECT_TRUE(tombstone_of(kV2 + records + "damaged", {2}).more_series);
}

TEST(Tombstone, RefusesWhatIsNoTombstone) {
  EXPECT_NE(complaint_about_tombstone(kV2 + record("cpu").substr(0, 10)).find("ends early"),
            std::string::npos);
  EXPECT_NE(complaint_about_tombstone(kV2 + "abc").find("ends early"), std::string::npos);
  EXPECT_NE(complaint_about_tombstone(kV2 + big_endian(0xffffffff, 4)).find("key of"),
            std::string::npos);
  EXPECT_NE(complaint_about_tombstone(kV2 + big_endian(0, 4)).find("key of"), std::string::npos);
  EXPECT_NE(complaint_about_tombstone(kV4 + "no gzip").find("damaged"), std::string::npos);
  const std::string member = support::gzip(record("cpu#!~#idle"));
  EXPECT_NE(complaint_about_tombstone(kV4 + member.substr(0, member.size() - 1)).find("ends early"),
            std::string::npos);
  EXPECT_NE(complaint_about_tombstone(std::string("\0\0\x15\x09", 4)).find("version"),
            std::string::npos);
  EXPECT_NE(complaint_about_tombstone(std::string(100'000, 'a')).find("too long"),
            std::string::npos);
}

}  // namespace
}  // namespace tsmfs::snapshot
