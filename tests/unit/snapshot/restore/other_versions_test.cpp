#include "snapshot/restore/other_versions.h"

#include <gtest/gtest.h>

#include <memory>

#include "index/tsm/tsm_index.h"
#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

// A repository with one shard, whose only file holds points of block type `type`.
class OtherVersionsTest : public ::testing::Test {
 protected:
  OtherVersionsTest() {
    index::Repository::create({dir_ / "repo"});
    repository_ = index::Repository::open_writer({dir_ / "repo", "test"});
  }

  VersionTraps traps(uint8_t type, const stdfs::path& datadir) {
    index::RepositoryWriter writer(*repository_, index::WriterOptions{});
    const ByteBuffer content = test::make_point_tsm({{"cpu#!~#v", {1, 2, 3}}}, 1000, 0, type);
    const auto stored = test::put(writer, content, index::FileKind::kTsm);
    writer.flush();
    RestoreShard shard{{"db", "rp", 1}, {"db", "rp", 1}, {}, content.size(), false};
    shard.files.push_back({*Name::parse("000000001-000000001.tsm"),
                           EntryKind::kFile,
                           0644,
                           {},
                           content.size(),
                           0,
                           stored.id});
    return find_version_traps(repository_->objects(), {shard}, datadir, "1.5-1.12");
  }

  test::TempDir dir_;
  std::unique_ptr<index::Repository> repository_;
};

TEST_F(OtherVersionsTest, UnsignedIntegersAreNamedWhereAnOldServerMayRun) {
  const VersionTraps found = traps(index::kTsmUnsignedType, dir_ / "data");
  ASSERT_EQ(found.notes.size(), 1u);
  EXPECT_NE(found.notes[0].find("db/rp/1/000000001-000000001.tsm holds unsigned integers"),
            std::string::npos)
      << found.notes[0];
  EXPECT_TRUE(found.warnings.empty());
  EXPECT_TRUE(traps(0, dir_ / "data").notes.empty());
}

TEST_F(OtherVersionsTest, UnsignedIntegersAreNothingToAServerWithASeriesFile) {
  stdfs::create_directories(dir_ / "data" / "db" / "_series");
  EXPECT_TRUE(traps(index::kTsmUnsignedType, dir_ / "data").notes.empty());
}

}  // namespace
}  // namespace tsmfs::snapshot
