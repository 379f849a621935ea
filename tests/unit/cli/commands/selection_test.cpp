#include "snapshot/model/selection.h"

#include <gtest/gtest.h>

#include "tests/support/repository_paths.h"
#include "tests/support/snapshots_in.h"
#include "tests/unit/command_fixture.h"

namespace tsmfs::cli {
namespace {

class SelectionTest : public CommandTest {
 protected:
  void SetUp() override {
    one = add(100, "db1", [](snapshot::Manifest& manifest) { manifest.tags = {"monday"}; });
    other = add(200, "db2");
  }
  Said copy(std::vector<std::string> arguments, ExitCode expected = ExitCode::kOk) {
    arguments.insert(arguments.begin(), "copy");
    arguments.insert(arguments.end(), {"--from", root.string(), "--to", second.string()});
    return run_command(std::move(arguments), expected);
  }
  snapshot::SnapshotPtr one, other;
  const std::filesystem::path second = dir / "second";
};

TEST_F(SelectionTest, ForgetRefusesASnapshotThatTheFiltersExclude) {
  const std::string id = one->short_id();
  for (const std::vector<std::string>& filter :
       {std::vector<std::string>{"--host", "db2"}, {"--tag", "friday"}, {"--host", "nosuch"}}) {
    std::vector<std::string> words = {"forget", id, "--allow-last"};
    words.insert(words.end(), filter.begin(), filter.end());
    EXPECT_TRUE(tsmfs(words, ExitCode::kUsage).says(filter.back()));
    EXPECT_EQ(count(), 2u);
  }
  const Said excluded = tsmfs({"forget", id, "--host", "db2"}, ExitCode::kUsage);
  EXPECT_TRUE(excluded.says(id)) << excluded.err;
  EXPECT_TRUE(excluded.says("server 'db1'")) << excluded.err;
  tsmfs({"forget", id, "--allow-last", "--host", "db1", "--tag", "monday"});
  EXPECT_EQ(count(), 1u);
}

TEST_F(SelectionTest, LatestIsTheNewestOfThoseThatTheFiltersLetThrough) {
  tsmfs({"forget", "latest", "--allow-last", "--host", "db1"});
  ASSERT_EQ(count(), 1u);
  EXPECT_EQ(snapshots()->snapshots.front()->id, other->id);
}

TEST_F(SelectionTest, FiltersThatLetNothingThroughAreRefusedBeforeAnythingIsMade) {
  for (const char* option : {"--host", "--tag"}) {
    EXPECT_TRUE(tsmfs({"forget", "--keep-last", "1", option, "nosuch"}, ExitCode::kUsage)
                    .says("there is no snapshot"));
    copy({option, "nosuch"}, ExitCode::kUsage);
    copy({"latest", option, "nosuch"}, ExitCode::kUsage);
  }
  copy({one->short_id(), "--host", "db2"}, ExitCode::kUsage);
  EXPECT_FALSE(std::filesystem::exists(second));
  copy({"latest", "--host", "db1"});
  const auto copied = test::snapshots_in(second)->snapshots;
  ASSERT_EQ(copied.size(), 1u);
  EXPECT_EQ(copied.front()->server, "db1");
}

TEST_F(SelectionTest, AListOfNothingSaysWhy) {
  const Said listed = tsmfs({"snapshots", "--host", "nosuch", "--json"});
  EXPECT_EQ(listed.out, "[]\n");
  EXPECT_NE(listed.err.find("there is no snapshot of server 'nosuch'"), std::string::npos);
}

TEST_F(SelectionTest, APolicyOnAnEmptyRepositoryForgetsNothing) {
  tsmfs({"forget", one->short_id(), other->short_id(), "--allow-last"});
  EXPECT_TRUE(tsmfs({"forget", "--keep-last", "1"}).says("0 snapshots forgotten"));
}

TEST_F(SelectionTest, RestoreAndExportNameTheServerOfASnapshotThatIsNotMeant) {
  const std::string id = one->short_id(), target = (dir / "target").string();
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"export", "--format", "tar", target},
        {"restore", "--datadir", target}}) {
    auto named = words;
    named.insert(named.end(), {"--snapshot", id, "--server", "db2"});
    const Said said = tsmfs(named, ExitCode::kUsage);
    EXPECT_TRUE(said.says("is of server 'db1', not of 'db2'")) << said.err;
  }
}

}  // namespace
}  // namespace tsmfs::cli
