#include "snapshot/stream/tar_reader.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "index/base/error.h"
#include "tests/support/string_stream.h"
#include "tests/support/tar_builder.h"
#include "tests/support/tar_reading.h"

namespace tsmfs::snapshot {
namespace {

using support::base256;
using support::complaint;
using support::make_tar;
using support::one_member;
using support::pax_member;
using support::pax_record;
using support::raw_header;
using support::raw_member;
using support::RawHeader;
using support::read_all;
using support::refused;
using support::StringStream;
using support::tar_trailer;
using support::TarEntry;
using support::TarForm;

std::vector<TarEntry> sample_entries() {
  std::string large(100'000, '\0');
  std::mt19937 random(1);
  for (char& c : large) c = static_cast<char>(random());
  return {{"db/rp/1/000000001-000000001.tsm", large},
          {"db/rp/1/000000002-000000001.tsm", "x"},
          {"db/rp/1/empty.tombstone", ""},
          {"db/rp/1/exact.tombstone", std::string(512, 'e')},
          {"db/größe 日本/1/" + std::string(200, 'n') + ".tsm", "unicode and long", 1'454'349'756,
           123'456'789}};
}

TEST(TarReader, ReadsUstar) {
  const std::vector<TarEntry> entries = {sample_entries()[0], sample_entries()[2],
                                         sample_entries()[3]};
  const auto all = read_all(make_tar(entries, TarForm::kUstar));
  ASSERT_EQ(all.size(), 3u);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].member.name, entries[i].name);
    EXPECT_EQ(all[i].member.size, entries[i].data.size());
    EXPECT_EQ(all[i].member.mode, 0644u);
    EXPECT_EQ(all[i].member.mtime.unix_ns, entries[i].mtime_s * 1'000'000'000);
    EXPECT_EQ(all[i].data, entries[i].data);
  }
}

TEST(TarReader, ReadsPaxAndGnuInPiecesOfAnySize) {
  const auto entries = sample_entries();
  for (const TarForm form : {TarForm::kPax, TarForm::kGnu})
    for (const size_t piece : {size_t{1}, size_t{511}, size_t{4096}, SIZE_MAX}) {
      const auto all = read_all(make_tar(entries, form), {}, piece);
      ASSERT_EQ(all.size(), entries.size());
      for (size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].member.name, entries[i].name);
        EXPECT_EQ(all[i].data, entries[i].data);
      }
      const int64_t fraction = form == TarForm::kPax ? 123'456'789 : 0;
      EXPECT_EQ(all[4].member.mtime.unix_ns, 1'454'349'756'000'000'000 + fraction);
    }
}

TEST(TarReader, ReadsAnEmptyTar) {
  EXPECT_TRUE(read_all(tar_trailer()).empty());
}

TEST(TarReader, GivesDirectoriesWithoutTheirSlash) {
  const auto all =
      read_all(make_tar({{"db/rp/1", "", 5, 0, true}, {"db/rp/1/a.tsm", "a"}}, TarForm::kUstar));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].member.kind, TarMember::Kind::kDirectory);
  EXPECT_EQ(all[0].member.name, "db/rp/1");
  EXPECT_EQ(all[0].member.mode, 0755u);
}

TEST(TarReader, SkipsWhatIsNotRead) {
  StringStream stream(make_tar(sample_entries(), TarForm::kPax), 1000);
  TarReader reader(stream, "test.tar");
  std::byte buffer[10];
  size_t members = 0;
  for (; reader.next(); ++members)
    if (members % 2 == 0) reader.read_data(buffer);
  EXPECT_EQ(members, 5u);
}

TEST(TarReader, HandsLargeReadsStraightToTheStream) {
  const std::string data(8 << 20, 'd');
  StringStream stream(make_tar({{"a", data}}, TarForm::kUstar));
  TarReader reader(stream, "test.tar");
  ASSERT_TRUE(reader.next());
  RawBuffer buffer(1 << 20);
  const size_t before = stream.reads();
  for (int i = 0; i < 8; ++i) ASSERT_EQ(reader.read_data(buffer.span()), buffer.size());
  EXPECT_EQ(stream.reads() - before, 8u);
  EXPECT_EQ(reader.read_data(buffer.span()), 0u);
}

TEST(TarReader, ReadsNulTypePrefixAndOldModeBits) {
  RawHeader header;
  header.type = '\0';
  header.name = "file.tsm";
  header.prefix = "db/rp/1";
  header.mode = "0100644";
  const auto all = read_all(one_member(header));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].member.name, "db/rp/1/file.tsm");
  EXPECT_EQ(all[0].member.mode, 0644u);
}

TEST(TarReader, TakesNoPrefixFromAGnuHeader) {
  RawHeader header;
  header.magic = std::string("ustar  ") + '\0';
  header.prefix = "12653741274";  // GNU keeps an access time there
  EXPECT_EQ(read_all(one_member(header)).at(0).member.name, header.name);
}

TEST(TarReader, ReadsBase256Numbers) {
  RawHeader header;
  header.size = base256(3);
  header.mtime = base256(-7);
  const auto all = read_all(raw_header(header) + support::padded("abc") + tar_trailer());
  EXPECT_EQ(all.at(0).data, "abc");
  EXPECT_EQ(all.at(0).member.mtime.unix_ns, -7'000'000'000);
}

TEST(TarReader, LetsPaxReplaceSizeNameAndTime) {
  RawHeader header;
  const std::string records = pax_record("path", "db/rp/1/größe.tsm") + pax_record("size", "3") +
                              pax_record("mtime", "-1.5") + pax_record("comment", "ignored");
  const auto all =
      read_all(pax_member(records) + raw_header(header) + support::padded("abc") + tar_trailer());
  EXPECT_EQ(all.at(0).member.name, "db/rp/1/größe.tsm");
  EXPECT_EQ(all.at(0).data, "abc");
  EXPECT_EQ(all.at(0).member.mtime.unix_ns, -1'500'000'000);
}

TEST(TarReader, ReadsPaxTimesOfAnyPrecision) {
  const auto time_of = [](const std::string& text) {
    return read_all(pax_member(pax_record("mtime", text)) + one_member({}))
        .at(0)
        .member.mtime.unix_ns;
  };
  EXPECT_EQ(time_of("12"), 12'000'000'000);
  EXPECT_EQ(time_of("12.000000007"), 12'000'000'007);
  EXPECT_EQ(time_of("12.1234567899999"), 12'123'456'789);
  EXPECT_EQ(time_of("0.5"), 500'000'000);
}

TEST(TarReader, IgnoresAGlobalHeaderThatChangesNothing) {
  EXPECT_EQ(read_all(pax_member(pax_record("comment", "git"), 'g') + one_member({})).size(), 1u);
}

// Headers that announce no member count too.
TEST(TarReader, RejectsMembersWithoutEnd) {
  const auto said_of = [](const std::string& bytes) {
    try {
      StringStream stream(bytes);
      TarReader reader(stream, "shard 'db/rp/1'", {.headers_max = 3});
      while (reader.next()) {
      }
    } catch (const ProtocolError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const std::string& one :
       {raw_member({}, ""), pax_member(pax_record("comment", "git"), 'g')}) {
    EXPECT_EQ(said_of(one + one + one + tar_trailer()), "");
    const std::string said = said_of(one + one + one + one + tar_trailer());
    EXPECT_NE(said.find("shard 'db/rp/1'"), std::string::npos) << said;
    EXPECT_NE(said.find("more than 3 members"), std::string::npos) << said;
  }
}

TEST(TarReader, RejectsACutAtEveryByte) {
  auto entries = sample_entries();
  entries[0].data.resize(1500);
  for (const TarForm form : {TarForm::kPax, TarForm::kGnu}) {
    const std::string tar = make_tar(entries, form);
    for (size_t length = 0; length < tar.size(); ++length)
      ASSERT_TRUE(refused(tar.substr(0, length), "the tar ends")) << length;
    EXPECT_EQ(complaint(tar), "");
  }
}

TEST(TarReader, RejectsAShortMember) {
  const std::string tar = make_tar({{"db/rp/1/a.tsm", std::string(5000, 'a')}}, TarForm::kUstar);
  EXPECT_TRUE(refused(tar.substr(0, 2000), "ends 3512 bytes before this member does"));
  EXPECT_TRUE(refused(tar.substr(0, 2000),
                      "test.tar, member 'db/rp/1/a.tsm', header at byte 0, read to byte 2000"));
}

TEST(TarReader, RejectsAMissingTrailer) {
  const std::string member = raw_member({}, "abc");
  EXPECT_TRUE(refused(member, "the tar ends without its trailer"));
  EXPECT_TRUE(refused(member + std::string(512, '\0'), "one zero block instead of two"));
  EXPECT_TRUE(refused("", "the tar ends without its trailer"));
}

TEST(TarReader, RejectsALoneZeroBlock) {
  const std::string member = raw_member({}, "abc");
  EXPECT_TRUE(refused(member + std::string(512, '\0') + member + tar_trailer(), "lone zero block"));
}

TEST(TarReader, RejectsAnyByteBehindTheTrailer) {
  const std::string tar = raw_member({}, "abc") + tar_trailer();
  for (const size_t count : {1u, 511u, 512u, 8192u})
    EXPECT_TRUE(refused(tar + std::string(count, '\0'), "bytes follow the trailer, at byte 2048"));
  EXPECT_TRUE(refused(tar + tar, "bytes follow the trailer"));
}

TEST(TarReader, RejectsPaddingThatIsNotZero) {
  std::string tar = raw_member({}, "abc") + tar_trailer();
  tar[1023] = 'x';
  EXPECT_TRUE(refused(tar, "padding"));
}

}  // namespace
}  // namespace tsmfs::snapshot
