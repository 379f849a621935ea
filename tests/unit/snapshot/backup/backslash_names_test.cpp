// Backslashes in what a server says: on Windows in place of slashes, elsewhere in names.
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

class BackslashNamesTest : public BackupTest {};

TEST_F(BackslashNamesTest, AServerOnWindowsIsBackedUpAsAnyOther) {
  ServerState state;
  const ShardPath shard{"db", "rp", 7};
  state.shards[shard] = {{"000000001-000000001.tsm", tsm(1, 1)}};
  state.tell(*fake);
  fake->answer_database("db", {R"({"Paths":["db\\rp\\7"]})"});
  fake->answer_shard(7, {support::make_tar({{R"(db\rp\7\000000001-000000001.tsm)", tsm(1, 1)}},
                                           support::TarForm::kPax)});
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->problems.empty());
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
}

TEST_F(BackslashNamesTest, ElsewhereABackslashBelongsToAName) {
  ServerState state;
  state.shards[{R"(a\b)", R"(r\p)", 7}] = {{"000000001-000000001.tsm", tsm(1, 1)}};
  state.tell(*fake);
  fake->answer_database(R"(a\b)", {R"({"Paths":["a\\b/r\\p/7"]})"});
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->problems.empty());
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
}

}  // namespace
}  // namespace tsmfs::snapshot
