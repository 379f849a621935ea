// Options that would do nothing are refused, before anything is done.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/unit/command_fixture.h"

namespace tsmfs::cli {
namespace {

using Words = std::vector<std::string>;

class OptionCombinationsTest : public CommandTest {
 protected:
  // Each of `useless` together with `words` is refused, and named.
  void refuses(const Words& words, const std::vector<Words>& useless) {
    for (const Words& some : useless) {
      Words all = words;
      all.insert(all.end(), some.begin(), some.end());
      EXPECT_TRUE(tsmfs(all, ExitCode::kUsage).says(some.front()));
    }
    EXPECT_FALSE(std::filesystem::exists(target));
    EXPECT_EQ(count(), 1u);
  }
  void SetUp() override { one = add(100, "db1"); }

  snapshot::SnapshotPtr one;
  const std::string target = (dir / "target").string();
};

TEST_F(OptionCombinationsTest, RestoreIntoDirectories) {
  refuses({"restore", "--datadir", target}, {{"--host", "127.0.0.1:8088"},
                                             {"--timeout", "1"},
                                             {"--http", "http://127.0.0.1:8086"},
                                             {"--user", "boss"},
                                             {"--password-file", "f"},
                                             {"--http-ca", "f"},
                                             {"--unsafe-ssl"},
                                             {"--resurrect-deleted"},
                                             {"--with-subscriptions"},
                                             {"--with-users"},
                                             {"--shard-duration", "1d"}});
  refuses({"restore", "--metadir", target},
          {{"--overwrite"}, {"--skip-existing"}, {"--merge"}, {"--waldir", target}});
  refuses({"restore", "--datadir", target}, {{"--prefer", "snapshot"}});
  refuses({"restore", "--datadir", target, "--metadir", target, "--merge"},
          {{"--overwrite"}, {"--skip-existing"}, {"--waldir", target}, {"--prefer", "mine"}});
}

TEST_F(OptionCombinationsTest, RestoreIntoAServer) {
  refuses({"restore", "--online"}, {{"--datadir", target},
                                    {"--metadir", target},
                                    {"--waldir", target},
                                    {"--owner", "root"},
                                    {"--overwrite"},
                                    {"--skip-existing"},
                                    {"--merge"},
                                    {"--verify"},
                                    {"--make-metastore"},
                                    {"--shard-duration", "1d"},
                                    {"--with-users"},
                                    {"--user", "boss"},
                                    {"--http-ca", "f"}});
  refuses({"restore", "--online", "--http", "http://127.0.0.1:8086"}, {{"--password-file", "f"}});
}

TEST_F(OptionCombinationsTest, AUserInTheEnvironmentIsNoOption) {
  ::setenv("INFLUX_USERNAME", "boss", 1);
  tsmfs({"restore", "--datadir", target, "--dry-run"});
  ::unsetenv("INFLUX_USERNAME");
}

TEST_F(OptionCombinationsTest, Backup) {
  const std::string host = fake->endpoint().text();
  refuses({"backup", "--host", host, "--metastore-only"}, {{"--database", "db"},
                                                           {"--shard", "1"},
                                                           {"--since", "last"},
                                                           {"--start", "2020-01-01T00:00:00Z"},
                                                           {"--end", "2020-01-01T00:00:00Z"}});
  EXPECT_TRUE(tsmfs({"backup", "--host", host, target}, ExitCode::kUsage).says("two repositories"));
  EXPECT_TRUE(
      tsmfs({"restore", "--datadir", target, target}, ExitCode::kUsage).says("two repositories"));
  EXPECT_FALSE(std::filesystem::exists(target));
  EXPECT_TRUE(
      tsmfs({"backup", "--host", host, "--accept-missing", "99"}).says("shard 99 is not missing"));
}

TEST_F(OptionCombinationsTest, Forget) {
  const std::string id = one->short_id();
  refuses({"forget", id, "--allow-last"}, {{"--group-by", "host"}, {"--unsafe-allow-remove-all"}});
  refuses({"forget", "--keep-last", "1"},
          {{"--max-unused", "0%"}, {"--accept-loss"}, {"--allow-last"}});
  EXPECT_TRUE(
      tsmfs({"forget", "--keep-last", "1", "--prune", "--dry-run"}).says("nothing was pruned"));
}

TEST_F(OptionCombinationsTest, Import) {
  refuses({"import", target}, {{"--force"}, {"--wal-dir", target}, {"--make-metastore"}});
}

TEST_F(OptionCombinationsTest, AWriteAheadLogThatIsNotThereIsSaid) {
  const std::string wal = (dir / "wal").string();
  const Said said = tsmfs({"restore", "--datadir", target, "--waldir", wal}, ExitCode::kIncomplete);
  EXPECT_TRUE(said.says("the snapshot has no write-ahead log")) << said.err;
  EXPECT_TRUE(said.says(wal)) << said.err;
  EXPECT_TRUE(std::filesystem::exists(target));
}

}  // namespace
}  // namespace tsmfs::cli
