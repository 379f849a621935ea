#include "snapshot/backup/capture.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "index/base/error.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

using support::Answer;
using Severity = Problem::Severity;

class CaptureTest : public BackupTest {
 protected:
  CaptureTest() { state.tell(*fake); }

  // `change` comes when the first shard is done, and before the second is asked for.
  SnapshotPtr back_up_and_after_the_first_shard(const std::function<void()>& change) {
    CaptureOptions how = options();
    how.on_shard = [&](const ShardReport& report) {
      if (report.done == 1) change();
    };
    return back_up(how);
  }

  std::string meta_db_of(const Manifest& snapshot) const {
    return contents_of(snapshot.meta).at("meta.db");
  }

  const ShardPath first{"db", "rp", 1}, second{"db", "rp", 2}, third{"other db", "two weeks", 10};
  ServerState state = sample_state();
};

TEST_F(CaptureTest, StoresAllThatTheServerHas) {
  const SnapshotPtr snapshot = back_up();
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(snapshot->problems.empty());
  EXPECT_FALSE(snapshot->metastore_changed);
  EXPECT_EQ(snapshot->server, "server");
  EXPECT_EQ(snapshot->address, fake->endpoint().text());
  EXPECT_EQ(snapshot->databases, (std::vector<std::string>{"db", "other db"}));
  EXPECT_EQ(snapshot->shards, 3u);
  EXPECT_EQ(snapshot->files, 5u);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(contents_of(snapshot->meta),
            (FileContents{{"meta.db", state.meta_db()}, {"node.json", "null\n"}}));
  uint64_t bytes = 0;
  for (const auto& [path, content] : expected(state)) bytes += content.size();
  EXPECT_EQ(snapshot->bytes, bytes);
  EXPECT_GT(snapshot->new_bytes, bytes * 9 / 10);
  EXPECT_EQ(snapshots()->snapshots.size(), 1u);
  expect_sound();
}

TEST_F(CaptureTest, StoresAllThatAServerOfTheOldDialectHas) {
  fake.emplace(Dialect::k14);
  state.tell(*fake);
  EXPECT_EQ(contents_of(back_up()->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, FetchesSeveralShardsAtOnce) {
  for (uint64_t shard = 100; shard < 120; ++shard)
    state.shards[{"db", "rp", shard}] = {{"a.tsm", tsm(10, shard % 3)}};
  state.tell(*fake);
  for (uint64_t shard = 100; shard < 120; shard += 3) fake->refuse_shard_times(shard, 1);
  CaptureOptions how = options();
  how.jobs = 4;
  std::atomic<int> inside = 0;
  size_t done = 0;
  how.on_shard = [&](const ShardReport& report) {
    EXPECT_EQ(++inside, 1) << "reports come one at a time";
    EXPECT_EQ(report.done, ++done);
    EXPECT_EQ(report.total, 23u);
    --inside;
  };
  const SnapshotPtr snapshot = back_up(how);
  EXPECT_EQ(done, 23u);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, AServerWithoutDatabasesIsASnapshotToo) {
  fake->answer_metastore({support::frame_metastore(make_meta_db({}, 1, {}))});
  const SnapshotPtr snapshot = back_up();
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_EQ(snapshot->shards, 0u);
  expect_sound();
}

TEST_F(CaptureTest, AnUnchangedServerCostsAManifest) {
  const SnapshotPtr before = back_up();
  const auto packs_before = packs();
  const SnapshotPtr after = back_up();
  EXPECT_EQ(packs(), packs_before);
  EXPECT_EQ(after->data, before->data);
  EXPECT_EQ(after->meta, before->meta);
  EXPECT_EQ(after->new_bytes, 0u);
  EXPECT_EQ(after->stored_bytes, 0u);
  EXPECT_EQ(after->parent, before->id);
  EXPECT_EQ(after->number, before->number + 1);
  expect_sound();
}

TEST_F(CaptureTest, OnlyTheShardThatChangedIsNew) {
  const SnapshotPtr before = back_up();
  state.shards[second]["000000002-000000001.tsm"] = tsm(20, 9);
  state.tell(*fake);
  const SnapshotPtr after = back_up();
  EXPECT_EQ(contents_of(after->data), expected(state));
  EXPECT_NE(after->data, before->data);
  EXPECT_EQ(after->meta, before->meta);
  EXPECT_LT(after->new_bytes, 30'000u);
  expect_sound();
}

TEST_F(CaptureTest, ServersHaveHistoriesOfTheirOwn) {
  const SnapshotPtr one = back_up();
  CaptureOptions how = options();
  how.server = "another";
  EXPECT_FALSE(back_up(how)->parent);
  EXPECT_EQ(back_up()->parent, one->id);
}

TEST_F(CaptureTest, AShardThatNeverComesWholeIsNamedAndCostsNoOther) {
  const std::string tar = shard_tar(second, state.shards[second]);
  fake->answer_shard(2, {tar, tar.size() - 1500});
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "db/rp/2",
                          "did not come whole in 5 tries"));
  EXPECT_EQ(snapshot->problems.size(), 1u);
  state.shards[second].erase("000000001-000000001.tsm");
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(snapshots()->snapshots.size(), 1u);
  expect_sound();
}

TEST_F(CaptureTest, WhatAnIncompleteBackupStoredIsNotStoredAgain) {
  const std::string tar = shard_tar(second, state.shards[second]);
  fake->answer_shard(2, {tar, tar.size() - 1});
  EXPECT_TRUE(back_up()->incomplete());
  const auto packs_before = packs();
  fake->answer_shard(2, {tar});
  const SnapshotPtr whole = back_up();
  EXPECT_FALSE(whole->incomplete());
  EXPECT_EQ(whole->new_bytes, 0u);
  EXPECT_EQ(contents_of(whole->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, AFileThatIsDamagedOnTheServerIsStoredWithAWarning) {
  state.shards[first]["000000001-000000001.tsm"][500] ^= 1;
  state.tell(*fake);
  for (int run = 0; run < 2; ++run) {
    const SnapshotPtr snapshot = back_up();
    EXPECT_FALSE(snapshot->incomplete());
    EXPECT_TRUE(has_problem(snapshot->problems, Severity::kWarning,
                            "db/rp/1/000000001-000000001.tsm", "the CRC of block 0"));
    EXPECT_EQ(contents_of(snapshot->data), expected(state));
  }
  expect_sound();
}

TEST_F(CaptureTest, AShardThatShrankIsFetchedTwiceAndNamed) {
  back_up();
  state.shards[second] = {{"000000003-000000003.tsm", tsm(2, 5)}};
  state.tell(*fake);
  const size_t requests_before = requests_for_shards();
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(requests_for_shards() - requests_before, 4u);
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(
      has_problem(snapshot->problems, Severity::kWarning, "db/rp/2", "in the last snapshot"));
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, AServerThatGoesLeavesTheOtherShardsIncompleteWithoutLongTries) {
  const SnapshotPtr snapshot = back_up_and_after_the_first_shard([&] { fake.reset(); });
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(
      has_problem(snapshot->problems, Severity::kIncomplete, "db/rp/2", "cannot reach influxd"));
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "other db/two weeks/10",
                          "the server no longer answers"));
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kWarning, "",
                          "the metastore could not be compared"));
  EXPECT_FALSE(snapshot->metastore_changed);
  state.shards[second].clear();
  state.shards[third].clear();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, AServerThatIsNotThereMakesNoSnapshot) {
  fake->answer_metastore({""});
  fake->answer_everything({support::frame_metastore("not a metastore")});
  EXPECT_THROW(back_up(), ProtocolError);
  EXPECT_TRUE(snapshots()->snapshots.empty());
}

TEST_F(CaptureTest, KeepsTheLaterMetastoreWhenItKnowsAllShards) {
  const SnapshotPtr snapshot = back_up_and_after_the_first_shard([&] {
    ServerState later = state;
    later.shards[{"db", "rp", 11}] = {};
    later.change_index = 2;
    later.tell_metastore(*fake);
    state.change_index = 2;
    state.shards = later.shards;
  });
  EXPECT_TRUE(snapshot->metastore_changed);
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_EQ(meta_db_of(*snapshot), state.meta_db());
  EXPECT_EQ(snapshot->shards, 3u);
  expect_sound();
}

TEST_F(CaptureTest, KeepsTheEarlierMetastoreWhenTheLaterForgotAShard) {
  const SnapshotPtr snapshot = back_up_and_after_the_first_shard([&] {
    ServerState later = state;
    later.shards.erase(first);  // which is here already
    later.tell_metastore(*fake);
  });
  EXPECT_TRUE(snapshot->metastore_changed);
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_EQ(meta_db_of(*snapshot), state.meta_db());
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, AShardThatIsDroppedDuringTheBackupIsNoLoss) {
  const SnapshotPtr snapshot = back_up_and_after_the_first_shard([&] {
    state.shards.erase(second);
    state.tell_metastore(*fake);
    state.tell_lists(*fake);
    fake->answer_shard(2, {""});
  });
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(
      has_problem(snapshot->problems, Severity::kWarning, "db/rp/2", "dropped by the server"));
  EXPECT_TRUE(snapshot->metastore_changed);
  EXPECT_EQ(meta_db_of(*snapshot), state.meta_db());
  EXPECT_EQ(snapshot->shards, 2u);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, AShardThatRetentionTakesDuringTheBackupIsNoLoss) {
  const SnapshotPtr snapshot = back_up_and_after_the_first_shard([&] {
    state.deleted.insert(2);
    state.tell_metastore(*fake);
    fake->answer_shard(2, {""});
  });
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(
      has_problem(snapshot->problems, Severity::kWarning, "db/rp/2", "dropped by the server"));
  expect_sound();
}

TEST_F(CaptureTest, AShardThatRetentionTakesAfterItCameKeepsTheMetastoreThatKnowsIt) {
  const std::string before = state.meta_db();
  const SnapshotPtr snapshot = back_up_and_after_the_first_shard([&] {
    state.deleted.insert(2);
    ++state.change_index;
    state.tell_metastore(*fake);
  });
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(snapshot->metastore_changed);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(meta_db_of(*snapshot), before);
}

TEST_F(CaptureTest, AShardThatRetentionHasTakenCannotBeAskedFor) {
  state.deleted.insert(2);
  state.tell(*fake);
  CaptureOptions asked = options();
  asked.filter.shard = 2;
  EXPECT_THROW(back_up(asked), UsageError);
}

TEST_F(CaptureTest, AShardThatLeavesTheListsButNotTheMetastoreIsIncomplete) {
  const SnapshotPtr snapshot = back_up_and_after_the_first_shard([&] {
    fake->answer_database("db", {"{\"Paths\":[\"db/rp/1\"]}\n"});
    fake->answer_shard(2, {""});
  });
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "db/rp/2",
                          "the server answered nothing"));
}

TEST_F(CaptureTest, AShardThatIsNoLongerOfferedIsIncomplete) {
  back_up();
  fake->answer_database("db", {"{\"Paths\":[\"db/rp/1\"]}\n"});
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "db/rp/2",
                          "the server does not offer it"));
  EXPECT_EQ(snapshot->shards, 2u);
  expect_sound();
}

// DROP takes the data away first, and then the shard out of the metastore.
TEST_F(CaptureTest, AShardThatIsBeingDroppedIsNoLoss) {
  back_up();
  const std::string named = state.meta_db();
  state.shards.erase(second);
  state.tell(*fake);
  for (int look = 0; look < 2; ++look)  // before and after the shards
    fake->answer_metastore_once({support::frame_metastore(named)});
  const SnapshotPtr snapshot = back_up();
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(snapshot->extent->missing.empty());
}

TEST_F(CaptureTest, AShardThatIsGoneFromTheMetastoreTooIsNoLoss) {
  back_up();
  state.shards.erase(second);
  state.tell(*fake);
  const SnapshotPtr dropped = back_up();
  EXPECT_TRUE(dropped->problems.empty());
  EXPECT_EQ(contents_of(dropped->data), expected(state));
}

TEST_F(CaptureTest, AShardWhoseGroupIsDeletedIsNoLoss) {
  back_up();
  state.deleted.insert(2);
  state.tell(*fake);
  fake->answer_database("db", {"{\"Paths\":[\"db/rp/1\"]}\n"});
  EXPECT_TRUE(back_up()->problems.empty());
}

TEST_F(CaptureTest, ANameThatNoDirectoryCanHaveIsNamedAndLosesNothingElse) {
  using namespace support::protobuf;
  const auto database = [](const std::string& name, const std::string& policy_name) {
    return bytes(
        5, bytes(1, name) +
               bytes(3, bytes(1, policy_name) + bytes(5, number(1, 50) + bytes(5, number(1, 50)))));
  };
  const std::string lying =
      state.meta_db() + database("../../escape", "rp") + database("odd", "a/../../b");
  fake->answer_metastore({support::frame_metastore(lying)});
  fake->answer_database("odd", {"{\"Paths\":[\"odd/a/../../b/50\"]}\n"});
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "", "'../../escape'"));
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "", "'a/../../b'"));
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "odd", "'odd/a/../../b/50'"));
  EXPECT_EQ(meta_db_of(*snapshot), lying);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  expect_sound();
}

TEST_F(CaptureTest, ADatabaseThatTheServerDeniesIsIncomplete) {
  fake->answer_database("db", {""});
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "db", "does not know it"));
  EXPECT_EQ(snapshot->shards, 1u);
}

TEST_F(CaptureTest, ADamagedLastSnapshotStopsNoBackup) {
  back_up();
  for (const auto& pack : packs()) std::filesystem::resize_file(pack, 100);
  const SnapshotPtr snapshot = back_up();
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kWarning, "",
                          "could not be compared with snapshot"));
}

TEST_F(CaptureTest, StopsBetweenShardsAndPublishesNothing) {
  CaptureOptions how = options();
  how.on_shard = [&](const ShardReport&) { stop.request_stop(); };
  EXPECT_THROW(back_up(how, stop.get_token()), Cancelled);
  EXPECT_TRUE(snapshots()->snapshots.empty());
  EXPECT_FALSE(back_up()->incomplete());
  expect_sound();
}

TEST_F(CaptureTest, StopsInAShardAndPublishesNothing) {
  fake->answer_shard(2, {shard_tar(second, state.shards[second]), 5000, Answer::End::kStall});
  const std::jthread stopper([&] {
    while (requests_for_shards() < 2) std::this_thread::yield();
    stop.request_stop();
  });
  CaptureOptions how = options();
  how.jobs = 3;
  EXPECT_THROW(back_up(how, stop.get_token()), Cancelled);
  EXPECT_TRUE(snapshots()->snapshots.empty());
  state.tell(*fake);
  EXPECT_FALSE(back_up()->incomplete());
  expect_sound();
}

}  // namespace
}  // namespace tsmfs::snapshot
