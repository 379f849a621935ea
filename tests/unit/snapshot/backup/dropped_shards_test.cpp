// Shards that the server drops while a backup runs.
#include "snapshot/backup/dropped_shards.h"

#include <gtest/gtest.h>

#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

class DroppedShardsTest : public BackupTest {
 protected:
  DroppedShardsTest() {
    for (uint64_t id = 1; id <= kShards; ++id)
      state.shards[{"db", "rp", id}] = {{"000000001-000000001.tsm", tsm(1, id)}};
    state.tell(*fake);
  }

  void drop_all_but_the_first() {
    for (uint64_t id = 2; id <= kShards; ++id) {
      state.shards.erase({"db", "rp", id});
      fake->answer_shard(id, {""});
    }
    state.tell_metastore(*fake);
    state.tell_lists(*fake);
  }
  // Requests that name this field: "ShardID" for shards. All others ask for the metastore or lists.
  size_t requests_with(const std::string& field) const {
    size_t count = 0;
    for (const std::string& request : fake->requests())
      count += request.find(field) != std::string::npos;
    return count;
  }

  static constexpr uint64_t kShards = 1500;
  ServerState state;
};

TEST_F(DroppedShardsTest, CostOneLookAtTheMetastoreForAllOfThem) {
  CaptureOptions how = options();
  how.retry = RetryPolicy();
  how.on_shard = [&](const ShardReport& report) {
    if (report.done == 1) drop_all_but_the_first();
  };
  const SnapshotPtr snapshot = back_up(how);
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_EQ(snapshot->shards, 1u);
  EXPECT_EQ(snapshot->problems.size(), kShards - 1);
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kWarning, "db/rp/1500",
                          "dropped by the server"));
  EXPECT_EQ(snapshot->extent->named, 1u);
  EXPECT_EQ(requests_with("\"ShardID\""), 2u);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
}

TEST_F(DroppedShardsTest, AreKnownFromALookForAnotherShard) {
  const InfluxdClient client = probed_client();
  DroppedShards dropped;
  EXPECT_FALSE(dropped.known({"db", "rp", 7}));
  EXPECT_FALSE(dropped.look(client, {"db", "rp", 7}));
  drop_all_but_the_first();
  EXPECT_FALSE(dropped.known({"db", "rp", 7}));
  EXPECT_TRUE(dropped.look(client, {"db", "rp", 7}));
  EXPECT_TRUE(dropped.known({"db", "rp", 8}));
  EXPECT_FALSE(dropped.known({"db", "rp", 1}));
}

TEST_F(DroppedShardsTest, AreNotToldByAMetastoreThatDoesNotCome) {
  const InfluxdClient client = probed_client();
  DroppedShards dropped;
  fake->answer_metastore({""});
  EXPECT_FALSE(dropped.look(client, {"db", "rp", 7}));
  fake->answer_metastore({support::frame_metastore("not a metastore")});
  EXPECT_FALSE(dropped.look(client, {"db", "rp", 7}));
  EXPECT_FALSE(dropped.known({"db", "rp", 7}));
}

}  // namespace
}  // namespace tsmfs::snapshot
