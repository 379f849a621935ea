#include "snapshot/backup/late_points.h"

#include <algorithm>

#include "tests/support/point_tsm.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

std::string points_at(const std::vector<int64_t>& times) {
  return std::string(as_text(test::make_point_tsm({{"cpu#!~#v", times}})));
}

// A server that never answers at once: its cache may be on its way to a file while it is asked.
class LatePointsTest : public BackupTest {
 protected:
  LatePointsTest() {
    state.shards[hot] = {{"000000001-000000001.tsm", points_at({1, 2, 3})}};
    state.tell(*fake);
    cache_is_written_out();
  }
  void cache_is_written_out() { fake->answer_range(hot.shard, {shard_tar(hot, {})}); }
  void cache_is_never_written_out() { fake->answer_range(hot.shard, {}); }
  static CaptureOptions slowly(CaptureOptions how) {
    how.retry.quick = milliseconds(0);
    return how;
  }
  SnapshotPtr back_up() { return BackupTest::back_up(slowly(options())); }
  void next_answer(const FileContents& files) {
    fake->answer_shard_once(hot.shard, {shard_tar(hot, files)});
  }

  const ShardPath hot{"db", "rp", 1};
  ServerState state;
};

TEST_F(LatePointsTest, WhatWasInTheCacheIsBroughtByASecondRequest) {
  next_answer(state.shards[hot]);
  state.shards[hot]["000000002-000000001.tsm"] = points_at({4});
  next_answer({{"000000002-000000001.tsm", points_at({4})}});
  state.tell(*fake);
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(snapshot->extent->late, 1u);
  EXPECT_TRUE(snapshot->problems.empty());
  EXPECT_EQ(snapshot->bytes, points_at({1, 2, 3}).size() + points_at({4}).size());
  expect_sound();
}

TEST_F(LatePointsTest, ASecondRequestIsForWhatIsLaterThanWhatCame) {
  back_up();
  const auto requests = fake->requests();
  // The files are of 2016-02-01T18:02:36Z.
  EXPECT_EQ(std::ranges::count_if(requests,
                                  [](const std::string& request) {
                                    return request.find("2016-02-01T18:00:36") != std::string::npos;
                                  }),
            1);
}

TEST_F(LatePointsTest, WhatIsAnsweredAtOnceIsAskedForOnce) {
  BackupTest::back_up(options());
  EXPECT_EQ(requests_for_shards(), 1u);
}

TEST_F(LatePointsTest, ACacheThatIsNeverWrittenOutIsNamed) {
  cache_is_never_written_out();
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kIncomplete, "db/rp/1",
                          "points that were in the cache may be missing"));
}

// A probe leaves files open in the server then.
TEST_F(LatePointsTest, AShardWithTombstonesIsHardlyProbed) {
  cache_is_never_written_out();
  state.shards[hot]["000000001-000000001.tombstone"] = std::string("\0\0\x15\x04", 4);
  state.tell(*fake);
  EXPECT_TRUE(back_up()->incomplete());
  EXPECT_EQ(std::ranges::count_if(fake->requests(),
                                  [](const std::string& request) {
                                    return request.find("ExportStart") != std::string::npos;
                                  }),
            2);
}

// What was written out when the shard was asked for may have been an older cache, of a write-out
// that had failed.
TEST_F(LatePointsTest, AShardWithYoungFilesIsAskedForAgainHoweverQuickItAnswered) {
  const auto tar_of_now = [&](const FileContents& files) {
    std::vector<support::TarEntry> entries;
    for (const auto& [name, content] : files) {
      entries.push_back({hot.text() + "/" + name, content});
      entries.back().mtime_s = now().unix_ns / 1'000'000'000;
    }
    return support::make_tar(entries, support::TarForm::kPax);
  };
  fake->answer_shard_once(hot.shard, {tar_of_now(state.shards[hot])});
  state.shards[hot]["000000002-000000001.tsm"] = points_at({4});
  fake->answer_shard(hot.shard, {tar_of_now(state.shards[hot])});
  const SnapshotPtr snapshot = BackupTest::back_up(options());
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(snapshot->extent->late, 1u);
}

TEST_F(LatePointsTest, NothingNewIsNothing) {
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(snapshot->extent->late, 0u);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
}

TEST_F(LatePointsTest, AShardWithoutFilesIsAskedForAsAWhole) {
  next_answer({});
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(snapshot->extent->late, 1u);
}

TEST_F(LatePointsTest, ACompactionMeanwhileTakesThePlaceOfItsFiles) {
  state.shards[hot]["000000002-000000001.tsm"] = points_at({4, 5});
  next_answer(state.shards[hot]);
  state.shards[hot] = {{"000000002-000000002.tsm", points_at({1, 2, 3, 4, 5})},
                       {"000000003-000000001.tsm", points_at({6})}};
  state.tell(*fake);
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_TRUE(snapshot->problems.empty());
}

// Nothing tells whether its points went before the backup began or since.
TEST_F(LatePointsTest, AShardWhoseDeletedPointsWereCompactedAwayMeanwhileComesAnew) {
  next_answer(state.shards[hot]);
  state.shards[hot] = {{"000000001-000000002.tsm", points_at({1, 3})}};
  state.tell(*fake);
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_TRUE(snapshot->problems.empty());
  EXPECT_EQ(snapshot->extent->late, 1u);
  EXPECT_EQ(snapshot->bytes, points_at({1, 3}).size());
}

TEST_F(LatePointsTest, OneThatDoesNotComeAnewStaysAsItWas) {
  const FileContents before = expected(state);
  next_answer(state.shards[hot]);
  next_answer({{"000000001-000000002.tsm", points_at({1, 3})}});
  for (int tries = 0; tries < 100; ++tries) fake->answer_shard_once(hot.shard, {""});
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), before);
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kIncomplete, "db/rp/1",
                          "was compacted, with points deleted"));
}

TEST_F(LatePointsTest, ATsmFileThatComesOtherwiseIsNotBelieved) {
  next_answer(state.shards[hot]);
  next_answer({{"000000001-000000001.tsm", points_at({7, 8, 9})}});
  EXPECT_EQ(contents_of(back_up()->data), expected(state));
}

TEST_F(LatePointsTest, AServerThatDoesNotAnswerASecondTimeIsNamed) {
  next_answer(state.shards[hot]);
  for (int tries = 0; tries < 100; ++tries) fake->answer_shard_once(hot.shard, {""});
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kIncomplete, "db/rp/1",
                          "points that were in the cache may be missing"));
}

TEST_F(LatePointsTest, WithSinceTheyGoOverWhatChanged) {
  back_up();
  CaptureOptions how = slowly(options());
  how.since.emplace();
  next_answer({});
  next_answer(state.shards[hot]);  // that it has what is carried over
  state.shards[hot]["000000002-000000001.tsm"] = points_at({4});
  state.tell(*fake);
  const SnapshotPtr snapshot = BackupTest::back_up(how);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(snapshot->extent->late, 1u);
}

}  // namespace
}  // namespace tsmfs::snapshot
