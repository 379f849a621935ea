#include "cli/empty_values.h"

#include <gtest/gtest.h>

#include "tests/unit/command_fixture.h"

namespace tsmfs::cli {
namespace {

class EmptyValuesTest : public CommandTest {};

TEST_F(EmptyValuesTest, NeverMeanAnything) {
  add(100, "db1");
  add(200, "db1");
  const std::string target = (dir / "target").string();
  using Words = std::vector<std::string>;
  const std::vector<std::pair<Words, std::string>> commands = {
      {{"forget", "--keep-last", "1"}, "--host --tag --keep-within --keep-tag --lock-wait"},
      {{"forget"}, "SNAPSHOT"},
      {{"snapshots"}, "--host --tag"},
      {{"restore", "--datadir", target},
       "--database --retention --shard --server --snapshot --newdb --newrp --owner --metadir "
       "--waldir"},
      {{"export", "--format", "tar", target},
       "--database --retention --shard --server --snapshot --owner"},
      {{"backup", "--host", "127.0.0.1:1"},
       "--since --start --end --database --retention --shard --server --ssh --tag "
       "--accept-missing --compression"},
      {{"check"}, "--read-data-subset"},
      {{"import", target}, "--server --time --data-dir --wal-dir"},
      {{"mount", target}, "--owner --cache -o"},
      {{"tag", "add", "x"}, "SNAPSHOT"},
  };
  for (const auto& [words, options] : commands) {
    std::istringstream names(options);
    for (std::string name; names >> name;) {
      auto apart = words, joined = words;
      if (name.starts_with('-')) apart.push_back(name);
      apart.push_back("");
      EXPECT_TRUE(tsmfs(apart, ExitCode::kUsage).says(name == "-o" ? "--option" : name));
      if (!name.starts_with("--")) continue;
      joined.push_back(name + "=");
      EXPECT_TRUE(tsmfs(joined, ExitCode::kUsage).says(name));
    }
  }
  EXPECT_EQ(count(), 2u);
  EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(EmptyValuesTest, AnEmptyGroupingIsOneGroup) {
  add(100, "db1");
  add(200, "db2");
  for (const auto& words : {std::vector<std::string>{"--group-by", ""}, {"--group-by="}}) {
    std::vector<std::string> forget = {"forget", "--keep-last", "1", "--dry-run",
                                       "--unsafe-allow-remove-all"};
    forget.insert(forget.end(), words.begin(), words.end());
    EXPECT_TRUE(tsmfs(forget).says("1 snapshots would be forgotten"));
  }
}

// CLI11 makes no value of it: a placeholder that was not filled in would mean "all".
TEST_F(EmptyValuesTest, AnUnfilledPlaceholderIsRefused) {
  add(100, "db1");
  tsmfs({"export", "--format", "tar", "--database", "{}", (dir / "target").string()},
        ExitCode::kUsage);
  tsmfs({"forget", "--allow-last", "{}"}, ExitCode::kUsage);
  EXPECT_EQ(count(), 1u);
}

}  // namespace
}  // namespace tsmfs::cli
