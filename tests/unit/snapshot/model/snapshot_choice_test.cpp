#include "snapshot/model/snapshot_choice.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/support/repository_paths.h"
#include "tests/support/rewrite_manifest.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

constexpr int64_t kDaySeconds = 86'400;

class SnapshotChoiceTest : public BackupTest {
 protected:
  SnapshotChoiceTest() { state.tell(*fake); }

  // Another snapshot, so many seconds after 1970.
  SnapshotPtr add(int64_t seconds, const std::function<void(Manifest&)>& change = {}) {
    Manifest manifest = *back_up();
    const auto repository = index::Repository::open_writer({root, "test"});
    manifest.time = {seconds * 1'000'000'000};
    if (change) change(manifest);
    return test::rewrite_manifest(repository->storage(), manifest);
  }
  static void lack_a_shard(Manifest& manifest) {
    manifest.problems.push_back({Problem::Severity::kIncomplete, "db/rp/2", "is not offered"});
  }
  ChosenSnapshot choose(const SnapshotWish& wish) const {
    const auto repository = index::Repository::open_reader({root});
    return choose_snapshot(*snapshots(), wish, repository->objects(),
                           {3 * kDaySeconds * 1'000'000'000});
  }
  index::SnapshotId chosen(std::string_view which, Filter asked = {},
                           std::string_view server = {}) const {
    return choose({which, server, std::move(asked)}).snapshot->id;
  }
  static Filter database(const std::string& name) {
    Filter filter;
    filter.databases = {name};
    return filter;
  }
  static Filter shard(uint64_t number) {
    Filter filter;
    filter.shard = number;
    return filter;
  }

  ServerState state = sample_state();
};

// An older one in its place would be an older state without a word.
TEST_F(SnapshotChoiceTest, WhetherADamagedOneWasMeantIsNotKnown) {
  const auto whole = add(100), damaged = add(200);
  flip(test::RepositoryPaths(root).snapshots() / damaged->id.hex(), 60);
  for (const std::string which : {"latest", "2d-ago"}) {
    const ChosenSnapshot chosen = choose({which, "", {}});
    EXPECT_EQ(chosen.snapshot->id, whole->id);
    EXPECT_TRUE(chosen.unsure);
    ASSERT_EQ(chosen.notes.size(), 1u);
    EXPECT_NE(chosen.notes[0].find(damaged->id.hex()), std::string::npos) << chosen.notes[0];
  }
  EXPECT_FALSE(choose({whole->short_id(), "", {}}).unsure);
}

TEST_F(SnapshotChoiceTest, WhatItIsKnownToMissIsTold) {
  const auto lesser = add(100, lack_a_shard);
  EXPECT_TRUE(choose({lesser->short_id(), "", {}}).incomplete);
  EXPECT_TRUE(choose({"latest", "", {}}).incomplete);
  EXPECT_FALSE(choose({"latest", "", shard(1)}).incomplete);
  EXPECT_TRUE(choose({"latest", "", shard(2)}).incomplete);
  EXPECT_FALSE(choose({"latest", "", {}, /*data=*/false}).incomplete);
}

TEST_F(SnapshotChoiceTest, FindsTheNewestOfAPointInTime) {
  const auto noon = add(kDaySeconds / 2);
  const auto next = add(kDaySeconds + 100);
  EXPECT_EQ(chosen("1970-01-01"), noon->id);
  EXPECT_EQ(chosen("1970-01-02"), next->id);
  EXPECT_EQ(chosen("1970-01-02T00:01:39Z"), noon->id);
  EXPECT_EQ(chosen("1970-01-02T00:01:40Z"), next->id);
  EXPECT_EQ(chosen("2d-ago"), noon->id);
  EXPECT_EQ(chosen("latest"), next->id);
  EXPECT_EQ(chosen(noon->short_id()), noon->id);
  for (const char* none : {"1969-12-31", "1970-01-01T11:59:59Z", "1y-ago", "ffffffff", "x", ""})
    EXPECT_THROW(chosen(none), UsageError) << none;
}

TEST_F(SnapshotChoiceTest, AWholeOneBeforeALesserOneAndSaysSo) {
  const auto whole = add(100);
  const auto lesser = add(200, lack_a_shard);
  const ChosenSnapshot latest = choose({});
  EXPECT_EQ(latest.snapshot->id, whole->id);
  ASSERT_EQ(latest.notes.size(), 1u);
  EXPECT_NE(latest.notes[0].find("lacks db/rp/2; --snapshot " + lesser->short_id()),
            std::string::npos)
      << latest.notes[0];
  EXPECT_EQ(chosen("1970-01-01"), whole->id);
}

TEST_F(SnapshotChoiceTest, WhatALesserOneHoldsWholeIsTakenFromIt) {
  add(100);
  const auto lesser = add(200, lack_a_shard);
  EXPECT_EQ(chosen("latest", database("other db")), lesser->id);
  EXPECT_EQ(chosen("latest", shard(1)), lesser->id);
  EXPECT_TRUE(choose({"latest", {}, shard(1)}).notes.empty());
}

TEST_F(SnapshotChoiceTest, OneOfAnotherSelectionIsPassedOver) {
  const auto whole = add(100);
  const auto other = add(200, [](Manifest& manifest) { manifest.filter = database("other db"); });
  add(300, [](Manifest& manifest) { manifest.filter.metastore_only = true; });
  EXPECT_EQ(chosen("latest"), whole->id);
  EXPECT_EQ(chosen("latest", database("db")), whole->id);
  EXPECT_EQ(chosen("latest", database("other db")), other->id);
}

TEST_F(SnapshotChoiceTest, AShardThatTheServerDroppedComesFromTheLastThatHasIt) {
  const auto before = add(100);
  state.shards.erase({"db", "rp", 2});
  state.tell(*fake);
  const auto after = add(200);
  EXPECT_EQ(chosen("latest", shard(2)), before->id);
  EXPECT_EQ(chosen("latest"), after->id);
}

TEST_F(SnapshotChoiceTest, ALesserOneIsTakenWithAWordWhenThereIsNoOther) {
  const auto lesser = add(100, lack_a_shard);
  const ChosenSnapshot latest = choose({});
  EXPECT_EQ(latest.snapshot->id, lesser->id);
  EXPECT_EQ(latest.notes.size(), 1u);
}

TEST_F(SnapshotChoiceTest, OneThatIsNamedIsTakenAndSaysWhatItLacks) {
  add(100);
  const auto lesser = add(200, lack_a_shard);
  EXPECT_EQ(choose({lesser->short_id(), {}, {}}).snapshot->id, lesser->id);
  EXPECT_EQ(choose({lesser->short_id(), {}, {}}).notes.size(), 1u);
  EXPECT_EQ(chosen("1970-01-01T00:03:20Z"), lesser->id);
}

TEST_F(SnapshotChoiceTest, SeveralServersAreAskedFor) {
  const auto one = add(100, [](Manifest& manifest) { manifest.server = "a"; });
  const auto two = add(100, [](Manifest& manifest) {
    manifest.server = "b";
    manifest.filter = database("db");
  });
  try {
    choose({});
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(error.advice().find("--server: 'a', 'b'"), std::string::npos) << error.advice();
  }
  EXPECT_THROW(chosen("1970-01-01T00:01:40Z"), UsageError);
  EXPECT_EQ(chosen("latest", {}, "b"), two->id);
  EXPECT_EQ(chosen("1970-01-01T00:01:40Z", {}, "a"), one->id);
  EXPECT_EQ(chosen("latest", database("other db")), one->id);  // the only one that has it
  EXPECT_EQ(chosen(two->short_id()), two->id);
  EXPECT_THROW(chosen("latest", {}, "c"), UsageError);
}

}  // namespace
}  // namespace tsmfs::snapshot
