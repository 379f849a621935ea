#include "snapshot/backup/late_points.h"

#include <algorithm>

#include "tests/support/point_tsm.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

std::string points_at(const std::vector<int64_t>& times) {
  return std::string(as_text(test::make_point_tsm({{"cpu#!~#v", times}})));
}

// A server with a shard of the present, whose cache may be on its way to a file while it is asked,
// and one of the past.
class LatePointsTest : public BackupTest {
 protected:
  LatePointsTest() {
    state.shards[hot] = {{"000000001-000000001.tsm", points_at({1, 2, 3})}};
    state.groups_end_ns = static_cast<uint64_t>(now().unix_ns) + 3600 * 1'000'000'000ULL;
    state.tell(*fake);
  }
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
  EXPECT_EQ(requests_for_shards(), 2u);
  // The files are of 2016-02-01T18:02:36Z.
  EXPECT_TRUE(std::ranges::any_of(requests, [](const std::string& request) {
    return request.find("2016-02-01T18:02:35") != std::string::npos;
  }));
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

TEST_F(LatePointsTest, AShardOfThePastIsAskedForOnce) {
  state.groups_end_ns = 2000;
  state.tell(*fake);
  back_up();
  EXPECT_EQ(requests_for_shards(), 1u);
}

TEST_F(LatePointsTest, ACompactionMeanwhileTakesThePlaceOfItsFiles) {
  state.shards[hot]["000000002-000000001.tsm"] = points_at({4, 5});
  next_answer(state.shards[hot]);
  state.shards[hot] = {{"000000002-000000002.tsm", points_at({1, 2, 3, 4, 5})},
                       {"000000003-000000001.tsm", points_at({6})}};
  next_answer(state.shards[hot]);
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_TRUE(snapshot->problems.empty());
}

TEST_F(LatePointsTest, ADeleteAndACompactionMeanwhileLeaveTheFirst) {
  next_answer(state.shards[hot]);
  next_answer({{"000000001-000000002.tsm", points_at({1, 3})}});
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kWarning, "db/rp/1",
                          "was compacted, and points deleted"));
}

TEST_F(LatePointsTest, ATsmFileThatComesOtherwiseIsNotBelieved) {
  next_answer(state.shards[hot]);
  next_answer({{"000000001-000000001.tsm", points_at({7, 8, 9})}});
  EXPECT_EQ(contents_of(back_up()->data), expected(state));
}

TEST_F(LatePointsTest, AServerThatDoesNotAnswerASecondTimeCostsAWarning) {
  next_answer(state.shards[hot]);
  for (int tries = 0; tries < 3; ++tries) fake->answer_shard_once(hot.shard, {""});
  const SnapshotPtr snapshot = back_up();
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kWarning, "db/rp/1",
                          "could not be asked once more"));
}

TEST_F(LatePointsTest, WithSinceTheyGoOverWhatChanged) {
  back_up();
  CaptureOptions how = options();
  how.since.emplace();
  next_answer({});
  next_answer(state.shards[hot]);  // that it has what is carried over
  state.shards[hot]["000000002-000000001.tsm"] = points_at({4});
  next_answer({{"000000002-000000001.tsm", points_at({4})}});
  const SnapshotPtr snapshot = back_up(how);
  EXPECT_EQ(contents_of(snapshot->data), expected(state));
  EXPECT_EQ(snapshot->extent->late, 1u);
}

}  // namespace
}  // namespace tsmfs::snapshot
