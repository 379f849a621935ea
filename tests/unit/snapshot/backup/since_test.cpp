// A backup of what changed: what it takes over of the snapshot before is still on the server, or
// the shard is fetched whole.
#include <algorithm>

#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

constexpr size_t kBlocksOfMoreThanAMiB = 1200;

class SinceTest : public BackupTest {
 protected:
  SinceTest() {
    state.shards[shard] = {{"000000001-000000001.tsm", tsm(3, 1)},
                           {"000000002-000000001.tsm", tsm(3, 2)},
                           {"000000003-000000001.tsm", tsm(3, 3)}};
    state.shards[other] = {{"000000001-000000001.tsm", tsm(3, 4)}};
    state.tell(*fake);
    back_up();
    asked_before_ = requests_for_shards();
  }
  // What is asked of the shard next brings these files.
  void next_answer(const FileContents& files) {
    fake->answer_shard_once(shard.shard, {shard_tar(shard, files)});
  }
  // Nothing has changed, says the answer to both shards.
  SnapshotPtr back_up_what_changed() {
    state.tell(*fake);
    next_answer({});
    fake->answer_shard_once(other.shard, {shard_tar(other, {})});
    CaptureOptions how = options();
    how.since.emplace();
    return back_up(how);
  }
  size_t asked() const { return requests_for_shards() - asked_before_; }
  void expect_whole(const SnapshotPtr& snapshot) {
    EXPECT_EQ(contents_of(snapshot->data), expected(state));
    EXPECT_TRUE(snapshot->problems.empty());
    EXPECT_FALSE(snapshot->partial);
  }

  const ShardPath shard{"db", "rp", 1}, other{"db", "rp", 2};
  ServerState state;

 private:
  size_t asked_before_ = 0;
};

TEST_F(SinceTest, WhatIsStillThereIsAskedForOnceAShardAndNotFetched) {
  expect_whole(back_up_what_changed());
  EXPECT_EQ(asked(), 4u);
}

TEST_F(SinceTest, AfterALargeFileTheRestIsAskedForAnew) {
  state.shards[shard] = {{"000000001-000000001.tsm", tsm(kBlocksOfMoreThanAMiB, 5)},
                         {"000000002-000000001.tsm", tsm(3, 2)}};
  state.tell(*fake);
  back_up();
  const size_t before = asked();
  expect_whole(back_up_what_changed());
  EXPECT_EQ(asked() - before, 5u);
}

TEST_F(SinceTest, OfWhatIsGoneThePointsDoNotComeBack) {
  for (const char* gone :
       {"000000001-000000001.tsm", "000000002-000000001.tsm", "000000003-000000001.tsm"}) {
    state.shards[shard].erase(gone);
    if (state.shards[shard].empty()) break;  // that a shard is empty is another matter
    expect_whole(back_up_what_changed());
  }
}

TEST_F(SinceTest, AFileOfAnotherSizeIsAnother) {
  state.shards[shard]["000000002-000000001.tsm"] = tsm(4, 6);
  expect_whole(back_up_what_changed());
}

// As after a restore, which gives files their old times.
TEST_F(SinceTest, AFileThatCameWithAnOldTimeIsThere) {
  state.shards[shard]["000000002-000000002.tsm"] = tsm(3, 7);
  expect_whole(back_up_what_changed());
}

// Of the parent's time by this machine's clock nothing is thought: the files have the server's.
TEST_F(SinceTest, WhatIsAskedForBeginsBehindTheNewestFileThatIsHere) {
  back_up_what_changed();
  const auto requests = fake->requests();
  EXPECT_TRUE(std::ranges::any_of(requests, [](const std::string& request) {
    return request.find("2016-02-01T18:02:37") != std::string::npos;
  }));
}

TEST_F(SinceTest, AShardThatCannotBeSettledIsNamed) {
  const FileContents before = expected(state);
  state.shards[shard].erase("000000002-000000001.tsm");
  next_answer({});                   // to the backup below: nothing changed
  next_answer(state.shards[shard]);  // a file is gone
  for (size_t i = 0; i <= hasty_retry().pauses.size(); ++i)
    fake->answer_shard_once(shard.shard, {""});
  CaptureOptions how = options();
  how.since.emplace();
  const SnapshotPtr snapshot = back_up(how);
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_EQ(contents_of(snapshot->data), before);
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kIncomplete,
                          "db/rp/1/000000002-000000001.tsm", "though the server has another file"));
}

TEST_F(SinceTest, AServerThatIsBusyWithTheShardIsWaitedFor) {
  state.shards[shard].erase("000000001-000000001.tsm");
  next_answer({});
  for (int i = 0; i < 3; ++i) fake->answer_shard_once(shard.shard, {""});
  state.tell(*fake);
  CaptureOptions how = options();
  how.since.emplace();
  expect_whole(back_up(how));
}

}  // namespace
}  // namespace tsmfs::snapshot
