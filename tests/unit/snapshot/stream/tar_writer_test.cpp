#include "snapshot/stream/tar_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "index/base/error.h"
#include "tests/support/store_fixture.h"
#include "tests/support/string_sink.h"
#include "tests/support/tar_reading.h"

namespace tsmfs::snapshot {
namespace {

using support::StringSink;

constexpr int64_t kSecondNs = 1'000'000'000;
const TarOwner kRoot{0, 0, "root", "root"};

std::string zeros(size_t count) {
  return std::string(count, '\0');
}
// A text field of a header block, filled up with NULs.
std::string field(const std::string& text, size_t bytes) {
  return text + zeros(bytes - text.size());
}
std::string header_of(const TarMemberInfo& member, const TarOwner& owner = kRoot) {
  const ByteBuffer header = encode_tar_header(member, owner);
  return std::string(as_text(header));
}

// The blocks below are what influxd 1.6.7 (Go's archive/tar) sends.
TEST(TarMember, IsAsInfluxdWritesIt) {
  const std::string expected = field("telegraf/autogen/1/000000001-000000001.tombstone", 100) +
                               field("0000644", 8) + field("0000000", 8) + field("0000000", 8) +
                               field("00000000323", 12) + field("15300531457", 12) +
                               std::string("020302\0 ", 8) + "0" + zeros(100) +
                               std::string(
                                   "ustar\0"
                                   "00",
                                   8) +
                               field("root", 32) + field("root", 32) + field("0000000", 8) +
                               field("0000000", 8) + zeros(155) + zeros(12);
  EXPECT_EQ(header_of({"telegraf/autogen/1/000000001-000000001.tombstone",
                       false,
                       0323,
                       {015300531457 * kSecondNs}}),
            expected);
}

TEST(TarMember, SplitsALongNameAtASlash) {
  const std::string database(120, 'd');
  const std::string block = header_of({database + "/autogen/19/000000001-000000001.tsm",
                                       false,
                                       030034,
                                       {015300531457 * kSecondNs}});
  ASSERT_EQ(block.size(), 512u);
  EXPECT_EQ(block.substr(0, 100), field("000000001-000000001.tsm", 100));
  EXPECT_EQ(block.substr(345, 155), field(database + "/autogen/19", 155));
  EXPECT_EQ(block.substr(148, 8), std::string("044735\0 ", 8));
}

TEST(TarMember, PutsANameOutsideAsciiIntoAPaxHeader) {
  const std::string blocks = header_of(
      {"данные/autogen/3/000000001-000000001.tsm", false, 057254, {015300531457 * kSecondNs}});
  ASSERT_EQ(blocks.size(), 3 * 512u);
  EXPECT_EQ(blocks.substr(0, 100), field("/autogen/3/PaxHeaders.0/000000001-000000001.tsm", 100));
  EXPECT_EQ(blocks.substr(124, 12), field("00000000067", 12));
  EXPECT_EQ(blocks.substr(148, 9), std::string("014532\0 x", 9));
  EXPECT_EQ(blocks.substr(265, 64), zeros(64));
  EXPECT_EQ(blocks.substr(512, 512),
            field("55 path=данные/autogen/3/000000001-000000001.tsm\n", 512));
  EXPECT_EQ(blocks.substr(1024, 100), field("/autogen/3/000000001-000000001.tsm", 100));
  EXPECT_EQ(blocks.substr(1024 + 148, 9), std::string("015402\0 0", 9));
}

TEST(TarMember, RoundsTimesToTheNearestSecond) {
  const auto mtime_of = [](int64_t unix_ns) {
    return header_of({"a", false, 0, {unix_ns}}).substr(136, 11);
  };
  EXPECT_EQ(mtime_of(7 * kSecondNs + 499'999'999), "00000000007");
  EXPECT_EQ(mtime_of(7 * kSecondNs + 500'000'000), "00000000010");
  EXPECT_EQ(mtime_of(-5 * kSecondNs), "00000000000");
}

TEST(TarMember, LargeNumbersAndOddOwnersAreReadBack) {
  const TarOwner owner{3'000'000, 4'000'000, "größe", std::string(40, 'g')};
  const std::string name = std::string(150, 'd') + "/" + std::string(150, 'n');
  const std::string tar = header_of({name, false, 0, {5 * kSecondNs}}, owner) + zeros(1024);
  EXPECT_NE(tar.find("uid=3000000\n"), std::string::npos);
  EXPECT_NE(tar.find("gid=4000000\n"), std::string::npos);
  EXPECT_NE(tar.find("uname=größe\n"), std::string::npos);
  const auto all = support::read_all(tar);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].member.name, name);
  const std::string large = header_of({"large", false, uint64_t{9} << 30, {0}});
  EXPECT_NE(large.find("size=9663676416\n"), std::string::npos);
}

class TarWriterTest : public ::testing::Test {
 protected:
  TarWriterTest() {
    index::Repository::create({dir / "repo"});
    repository = index::Repository::open_writer({dir / "repo", "test"});
  }

  index::FileId store(const ByteBuffer& content) {
    index::RepositoryWriter writer(*repository, {});
    const auto id = test::put(writer, content, index::FileKind::kOther).id;
    writer.flush();
    return id;
  }
  FileSequenceReader reading(const std::vector<WantedFile>& files) {
    return FileSequenceReader(repository->objects(), files, 2);
  }

  test::TempDir dir;
  std::unique_ptr<index::Repository> repository;
};

TEST_F(TarWriterTest, FilesOfEverySizeAreReadBack) {
  std::vector<ByteBuffer> contents;
  std::vector<WantedFile> files;
  for (const size_t size : {0u, 1u, 511u, 512u, 513u, 1u << 20, (1u << 20) + 1, (3u << 20) + 512}) {
    contents.push_back(test::random_bytes(size, size + 1));
    files.push_back({store(contents.back()), size});
  }
  StringSink sink;
  TarWriter tar(sink, kRoot, {});
  FileSequenceReader content = reading(files);
  for (size_t i = 0; i < files.size(); ++i)
    tar.add_file({"db/rp/1/" + std::to_string(i), false, files[i].size, {kSecondNs}}, files[i].id,
                 repository->key(), content);
  tar.add_bytes({"meta/meta.db", false, 3, {0}}, as_bytes("abc"));
  tar.add_directory({"db/rp/2", true, 0, {0}});
  tar.finish();
  EXPECT_EQ(sink.text.size(), tar.bytes());
  const auto all = support::read_all(sink.text);
  ASSERT_EQ(all.size(), files.size() + 2);
  for (size_t i = 0; i < files.size(); ++i) EXPECT_EQ(all[i].data, as_text(contents[i])) << i;
  EXPECT_EQ(all[files.size()].data, "abc");
  EXPECT_EQ(all.back().member.kind, TarMember::Kind::kDirectory);
}

TEST_F(TarWriterTest, EmptyTarIsTwoZeroBlocks) {
  StringSink sink;
  TarWriter(sink, kRoot, {}).finish();
  EXPECT_EQ(sink.text, zeros(1024));
}

TEST_F(TarWriterTest, LastBlockOfAFileWithAnotherDigestNeverGoesOut) {
  const ByteBuffer content = test::random_bytes(5000, 1);
  const auto id = store(content);
  const auto other = repository->key().digest<index::FileId>(as_bytes("other"));
  StringSink sink;
  TarWriter tar(sink, kRoot, {});
  FileSequenceReader reader = reading({{id, content.size()}});
  EXPECT_THROW(
      tar.add_file({"db/rp/1/a", false, content.size(), {0}}, other, repository->key(), reader),
      CorruptError);
  EXPECT_LE(sink.text.size(), 512 + content.size() - 1);
  EXPECT_FALSE(support::complaint(sink.text).empty());
}

TEST_F(TarWriterTest, NothingEverEndsBetweenTwoMembers) {
  // After each write: a reader of what went out so far must see that it is cut short.
  const ByteBuffer content = test::random_bytes(2048, 1);
  const auto id = store(content);
  StringSink sink;
  sink.after_write = [&](const std::string& text) {
    if (!text.ends_with(zeros(1024))) {
      EXPECT_NE(support::complaint(text), "") << text.size();
      // The last member is not whole: its last block is missing.
      EXPECT_NE(text.size(), 512u + 2048u);
    }
  };
  TarWriter tar(sink, kRoot, {});
  FileSequenceReader reader = reading({{id, content.size()}, {id, content.size()}});
  for (const char* name : {"db/rp/1/a", "db/rp/1/b"})
    tar.add_file({name, false, content.size(), {0}}, id, repository->key(), reader);
  tar.finish();
  EXPECT_EQ(support::read_all(sink.text).size(), 2u);
}

TEST_F(TarWriterTest, StopsWhenItIsTold) {
  const ByteBuffer content = test::random_bytes(2048, 1);
  const auto id = store(content);
  std::stop_source stop;
  stop.request_stop();
  StringSink sink;
  TarWriter tar(sink, kRoot, stop.get_token());
  FileSequenceReader reader = reading({{id, content.size()}});
  EXPECT_THROW(tar.add_file({"a", false, content.size(), {0}}, id, repository->key(), reader),
               Cancelled);
}

}  // namespace
}  // namespace tsmfs::snapshot
