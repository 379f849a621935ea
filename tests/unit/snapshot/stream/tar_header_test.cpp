#include "snapshot/stream/tar_header.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

#include "index/base/error.h"
#include "tests/support/string_stream.h"
#include "tests/support/tar_builder.h"
#include "tests/support/tar_reading.h"

namespace tsmfs::snapshot {
namespace {

using support::base256;
using support::complaint;
using support::long_name_member;
using support::octal;
using support::one_member;
using support::pax_member;
using support::pax_record;
using support::raw_member;
using support::RawHeader;
using support::refused;
using support::seal_header;
using support::StringStream;
using support::tar_trailer;

TEST(TarHeader, RejectsAGlobalHeaderThatChangesMembers) {
  for (const char* key : {"path", "size", "mtime"})
    EXPECT_TRUE(refused(pax_member(pax_record(key, "1"), 'g') + one_member({}), "global"));
  EXPECT_TRUE(refused(pax_member("nonsense", 'g') + one_member({}), "PAX record"));
}

TEST(TarHeader, RejectsEveryFlippedBitOfAHeader) {
  const std::string tar = raw_member({}, "abc") + tar_trailer();
  for (size_t at = 0; at < 512; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = tar;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      ASSERT_NE(complaint(damaged), "") << at << " " << bit;
    }
}

TEST(TarHeader, RejectsSizesOutOfBounds) {
  RawHeader header;
  for (const int64_t size : {INT64_MAX, (int64_t{1} << 40) + 1}) {
    header.size = base256(size);
    EXPECT_TRUE(refused(one_member(header), "more than the 1099511627776 allowed"));
  }
  header.size = base256(-1);
  EXPECT_TRUE(refused(one_member(header), "negative"));
  header.size = "\x80" + std::string(11, '\xff');
  EXPECT_TRUE(refused(one_member(header), "out of range"));
  header.size = octal(2000);
  EXPECT_TRUE(
      refused(one_member(header), "more than the 1000 allowed", {.member_bytes_max = 1000}));
  for (const char* size : {"9223372036854775807", "18446744073709551615", "99999999999999999999999",
                           "-1", "", " 1", "0x1"})
    EXPECT_NE(complaint(pax_member(pax_record("size", size)) + one_member({})), "") << size;
}

TEST(TarHeader, RejectsNumbersThatAreNone) {
  for (const char* text : {"", "        ", "0000008", "-000001", "12 34", "0x12", "+1"}) {
    RawHeader header;
    header.size = text;
    EXPECT_TRUE(refused(one_member(header), "the size field")) << text;
    header = {};
    header.mtime = text;
    EXPECT_TRUE(refused(one_member(header), "the mtime field")) << text;
    header = {};
    header.mode = text;
    EXPECT_TRUE(refused(one_member(header), "the mode field")) << text;
  }
  RawHeader header;
  header.size = std::string(
      "1\0"
      "1",
      3);
  EXPECT_TRUE(refused(one_member(header), "the size field"));
  header = {};
  header.uid = "nobody";
  EXPECT_TRUE(refused(one_member(header), "the uid field"));
}

TEST(TarHeader, RejectsTimesOutOfRange) {
  RawHeader header;
  header.mtime = base256(INT64_MAX);
  EXPECT_TRUE(refused(one_member(header), "mtime is out of range"));
  header.mtime = base256(INT64_MIN);
  EXPECT_TRUE(refused(one_member(header), "mtime is out of range"));
  for (const char* time : {"9223372036854775807", "-9223372036854775808", "", "-", ".5", "5.",
                           "1e9", "1.5.5", " 1", "1 "})
    EXPECT_NE(complaint(pax_member(pax_record("mtime", time)) + one_member({})), "") << time;
}

TEST(TarHeader, RejectsNamesThatAreNotPlainRelativePaths) {
  for (const char* name : {"", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", ".", "./a",
                           "a/./b", "a//b", "a/"}) {
    RawHeader header;
    header.name = name;
    EXPECT_TRUE(refused(one_member(header), "not a plain relative path")) << name;
    EXPECT_TRUE(
        refused(pax_member(pax_record("path", name)) + one_member({}), "not a plain relative path"))
        << name;
    EXPECT_TRUE(refused(long_name_member(name) + one_member({}), "not a plain relative path"))
        << name;
  }
  RawHeader directory;
  directory.type = '5';
  for (const char* name : {"", "/", "..//", "../", "a//"}) {
    directory.name = name;
    EXPECT_TRUE(refused(one_member(directory), "not a plain relative path")) << name;
  }
  RawHeader climbing;
  climbing.prefix = "..";
  EXPECT_TRUE(refused(one_member(climbing), "not a plain relative path"));
}

TEST(TarHeader, RejectsNamesWithNulOrTooLong) {
  RawHeader header;
  header.name = std::string("a\0b", 3);
  EXPECT_TRUE(refused(one_member(header), "goes on behind its end"));
  EXPECT_TRUE(refused(pax_member(pax_record("path", std::string_view("a\0b", 3))) + one_member({}),
                      "not a plain"));
  EXPECT_TRUE(refused(long_name_member(std::string_view("a\0b", 3)) + one_member({}), "NUL"));
  const std::string component(256, 'c');
  EXPECT_TRUE(refused(long_name_member(component) + one_member({}), "not a plain"));
  EXPECT_TRUE(refused(pax_member(pax_record("path", component)) + one_member({}), "not a plain"));
  EXPECT_EQ(complaint(long_name_member(component.substr(1)) + one_member({})), "");
  std::string deep = "a";
  while (deep.size() <= 65'536) deep += "/aaaaaaaaa";
  EXPECT_TRUE(refused(long_name_member(deep) + one_member({}), "more than the 65536 allowed"));
  EXPECT_TRUE(refused(pax_member(pax_record("path", deep)) + one_member({}), "too long"));
}

TEST(TarHeader, RejectsOtherKindsOfMembers) {
  for (const char type : {'1', '2', '3', '4', '6', '7', 'K', 'S', 'V', 'M', 'D', 'A', '\xff'}) {
    RawHeader header;
    header.type = type;
    EXPECT_TRUE(refused(one_member(header), "neither a file nor a directory")) << type;
  }
  RawHeader directory;
  directory.type = '5';
  EXPECT_TRUE(refused(raw_member(directory, "data") + tar_trailer(), "directory with data"));
  EXPECT_TRUE(refused(pax_member(pax_record("GNU.sparse.major", "1")) + one_member({}), "sparse"));
}

TEST(TarHeader, RejectsOtherMagics) {
  for (const std::string& magic : {std::string(), std::string("ustar\0\0\0", 8),
                                   std::string("USTAR\0"
                                               "00",
                                               8)}) {
    RawHeader header;
    header.magic = magic;
    EXPECT_TRUE(refused(one_member(header), "magic"));
  }
}

TEST(TarHeader, RejectsMalformedPaxRecords) {
  for (const std::string& records : {std::string("5"),
                                     std::string("x"),
                                     std::string("6 a=b"),
                                     std::string("7 a=b\n"),
                                     std::string("5 a=b\n"),
                                     std::string("06 a=b\n"),
                                     std::string("-6 a=b\n"),
                                     std::string(" 6 a=b\n"),
                                     std::string("6 a=bX"),
                                     std::string("0 a=b\n"),
                                     std::string("1 \n"),
                                     std::string("2 \n"),
                                     std::string("3 \n"),
                                     std::string("4 =\n"),
                                     std::string("5 =b\n"),
                                     std::string("5 ab\n"),
                                     std::string("6 a=b\n\n"),
                                     std::string("6 a=b\n7 a=b"),
                                     std::string("99999999999999999999 a=b\n"),
                                     std::string("18446744073709551622 a=b\n"),
                                     std::string("00000000"),
                                     std::string("7 \0a=b\n", 7),
                                     std::string("\n\n\n"),
                                     std::string(1000, '9'),
                                     std::string(512, '\0')})
    EXPECT_TRUE(refused(pax_member(records) + one_member({}), "PAX record"))
        << ::testing::PrintToString(records);
}

TEST(TarHeader, RejectsContradictoryExtensions) {
  const std::string pax = pax_member(pax_record("path", "a"));
  const std::string comment = pax_member(pax_record("comment", "c"), 'g');
  EXPECT_TRUE(refused(pax + pax + one_member({}), "two PAX headers"));
  EXPECT_TRUE(refused(long_name_member("a") + long_name_member("a") + one_member({}),
                      "two GNU long names"));
  EXPECT_TRUE(
      refused(pax + long_name_member("a") + one_member({}), "named by a PAX and by a GNU header"));
  EXPECT_TRUE(refused(pax + comment + one_member({}), "between a member and its own header"));
  EXPECT_TRUE(refused(pax + tar_trailer(), "announces a member"));
  EXPECT_TRUE(refused(long_name_member("a") + tar_trailer(), "announces a member"));
  EXPECT_TRUE(
      refused(pax_member(pax_record("path", "a") + pax_record("path", "b")) + one_member({}),
              "path twice"));
}

TEST(TarHeader, RejectsHugeExtensionsBeforeReadingThem) {
  RawHeader header;
  header.type = 'x';
  header.size = octal((1 << 20) + 1);
  EXPECT_TRUE(refused(one_member(header), "more than the 1048576 allowed"));
  header.size = base256(INT64_MAX);
  EXPECT_TRUE(refused(one_member(header), "more than the 1048576 allowed"));
  header.type = 'L';
  header.size = octal(65'537);
  EXPECT_TRUE(refused(one_member(header), "more than the 65536 allowed"));
}

TEST(TarHeader, ShowsNoControlCharactersInMessages) {
  RawHeader header;
  header.name = "a\x1b[2J/../b";
  EXPECT_EQ(complaint(one_member(header)).find('\x1b'), std::string::npos);
}

// Damage anywhere, checksums made right again half of the time, so that the parser behind them is
// reached too.
TEST(TarHeader, SurvivesRandomDamage) {
  const std::string sound =
      pax_member(pax_record("path", "db/rp/1/größe.tsm") + pax_record("mtime", "12.5")) +
      raw_member({}, "abc") + long_name_member("db/rp/1/x.tsm") + raw_member({}, "d") +
      tar_trailer();
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string tar = sound;
    for (int i = 0; i < 1 + round % 5; ++i)
      tar[random() % tar.size()] = static_cast<char>(random());
    if (round % 2 == 0)
      for (const size_t header : {0u, 1024u, 2048u, 3072u, 4096u}) seal_header(tar, header);
    if (round % 7 == 0) tar.resize(random() % tar.size());
    try {
      StringStream stream(tar, 100);
      TarReader reader(stream, "test.tar", {.member_bytes_max = 1 << 20});
      while (const auto member = reader.next())
        ASSERT_EQ(member->name.find(".."), std::string::npos);
      ASSERT_EQ(reader.position(), tar.size());
    } catch (const ProtocolError&) {
    }
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
