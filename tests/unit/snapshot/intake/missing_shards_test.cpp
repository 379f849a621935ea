#include "snapshot/intake/missing_shards.h"

#include <gtest/gtest.h>

#include "tests/unit/backup_fixture.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {
namespace {

using Severity = Problem::Severity;

class MissingShardsTest : public BackupTest {
 protected:
  MissingShardsTest() { state.tell(*fake); }

  // The server still names the shards, but offers these of database db only.
  void offer(const std::vector<uint64_t>& shards) {
    std::string list;
    for (const uint64_t shard : shards)
      list += fmt::format("{}\"db/rp/{}\"", list.empty() ? "" : ",", shard);
    fake->answer_database("db", {"{\"Paths\":[" + list + "]}\n"});
  }
  SnapshotPtr back_up_accepting(uint64_t shard) {
    CaptureOptions how = options();
    how.accept_missing = {shard};
    return back_up(how);
  }

  const ShardPath first{"db", "rp", 1}, second{"db", "rp", 2};
  ServerState state = sample_state();
};

TEST_F(MissingShardsTest, AWholeBackupSaysWhatTheServerHasAndWhatCame) {
  const Extent extent = back_up()->extent.value();
  EXPECT_EQ(extent.named, 3u);
  EXPECT_EQ(extent.came, 3u);
  EXPECT_TRUE(extent.missing.empty());
  EXPECT_FALSE(extent.since);
}

TEST_F(MissingShardsTest, TheFirstBackupNamesAShardThatIsNotOffered) {
  offer({1});
  const SnapshotPtr snapshot = back_up();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kIncomplete, "db/rp/2",
                          "the server does not offer it"));
  ASSERT_EQ(snapshot->extent->missing.size(), 1u);
  EXPECT_EQ(snapshot->extent->missing[0].path, second);
  EXPECT_EQ(snapshot->extent->named, 3u);
  EXPECT_EQ(snapshot->extent->came, 2u);
}

TEST_F(MissingShardsTest, EveryBackupNamesItUntilItIsAccepted) {
  back_up();
  offer({1});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(back_up()->incomplete());
  const SnapshotPtr accepted = back_up_accepting(2);
  EXPECT_FALSE(accepted->incomplete());
  EXPECT_TRUE(accepted->extent->missing.at(0).accepted);
  const SnapshotPtr later = back_up();
  EXPECT_FALSE(later->incomplete());
  EXPECT_TRUE(later->extent->missing.at(0).accepted);
  EXPECT_GT(later->extent->missing.at(0).had_bytes, 0u);
  EXPECT_TRUE(has_problem(later->problems, Severity::kWarning, "db/rp/2", "does not offer it"));
}

TEST_F(MissingShardsTest, AcceptanceEndsWhenTheShardComesBack) {
  offer({1});
  back_up_accepting(2);
  offer({1, 2});
  EXPECT_TRUE(back_up()->problems.empty());
  offer({1});
  EXPECT_TRUE(back_up()->incomplete());
}

TEST_F(MissingShardsTest, AcceptanceHoldsAcrossSelections) {
  offer({1});
  back_up_accepting(2);
  CaptureOptions one = options();
  one.filter.databases = {"db"};
  EXPECT_FALSE(back_up(one)->incomplete());
  one.filter.databases = {"other db"};
  EXPECT_TRUE(back_up(one)->extent->missing.empty());
  EXPECT_FALSE(back_up()->incomplete());
}

TEST_F(MissingShardsTest, AShardThatIsNotMissingCannotBeAccepted) {
  const SnapshotPtr snapshot = back_up_accepting(1);
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kWarning, "", "is not missing"));
  EXPECT_TRUE(snapshot->extent->missing.empty());
}

TEST_F(MissingShardsTest, AShardThatShrankToNothingIsNamedUntilItIsAccepted) {
  back_up();
  state.shards[second] = {};
  state.tell(*fake);
  for (int i = 0; i < 2; ++i) {
    const SnapshotPtr snapshot = back_up();
    EXPECT_TRUE(
        has_problem(snapshot->problems, Severity::kIncomplete, "db/rp/2", "is empty, and had"));
    EXPECT_EQ(snapshot->extent->came, 2u);
  }
  EXPECT_FALSE(back_up_accepting(2)->incomplete());
  EXPECT_FALSE(back_up()->incomplete());
}

TEST_F(MissingShardsTest, AShardThatShrankToNothingIsFoundByTheFirstBackupOfItsDatabaseToo) {
  back_up();
  state.shards[second] = {};
  state.tell(*fake);
  CaptureOptions one = options();
  one.filter.databases = {"db"};
  EXPECT_TRUE(back_up(one)->incomplete());
}

TEST_F(MissingShardsTest, AnEmptyShardThatNeverHadAnythingIsNoLoss) {
  state.shards[second] = {};
  state.tell(*fake);
  for (int i = 0; i < 2; ++i) {
    const SnapshotPtr snapshot = back_up();
    EXPECT_TRUE(snapshot->problems.empty());
    EXPECT_EQ(snapshot->extent->came, 3u);
  }
}

TEST_F(MissingShardsTest, AShardThatDoesNotComeWholeIsMissingToo) {
  fake->answer_shard(2, {""});
  const SnapshotPtr snapshot = back_up();
  ASSERT_EQ(snapshot->extent->missing.size(), 1u);
  EXPECT_EQ(snapshot->extent->came, 2u);
  EXPECT_EQ(snapshot->problems.size(), 1u);
  EXPECT_FALSE(back_up_accepting(2)->incomplete());
}

TEST_F(MissingShardsTest, GroupsMadeAheadForAnIdlePolicyAreSettledWithTheFirst) {
  offer({1});
  back_up_accepting(2);
  state.shards[{"db", "rp", 3}] = {};
  state.tell_metastore(*fake);
  const SnapshotPtr snapshot = back_up();
  EXPECT_FALSE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Severity::kWarning, "db/rp/3", "was accepted"));
}

TEST_F(MissingShardsTest, ATagSettlesASnapshotAndThoseAfterIt) {
  offer({1});
  Manifest manifest = *back_up();
  EXPECT_FALSE(accept_missing(manifest, 1));
  EXPECT_TRUE(accept_missing(manifest, 2));
  EXPECT_FALSE(manifest.incomplete());
  {
    const auto repository = index::Repository::open_writer({root, "test"});
    Catalog(repository->storage()).amend(manifest);
  }
  EXPECT_FALSE(back_up()->incomplete());
}

TEST_F(MissingShardsTest, TheExtentComesBackFromAManifest) {
  offer({1});
  CaptureOptions how = options();
  how.since = Since{Timestamp{5}};
  const SnapshotPtr snapshot = back_up(how);
  EXPECT_EQ(snapshot->extent->since, Timestamp{5});
  const Manifest back = decode_manifest(encode_manifest(*snapshot), "test");
  EXPECT_EQ(back.extent, snapshot->extent);
}

// A group of which the metastore says when it begins.
class GroupTimesTest : public ::testing::Test {
 protected:
  // The extent of a snapshot that holds nothing, made at `now`.
  static Extent judge(Timestamp begin, Timestamp now) {
    using namespace support::protobuf;
    const std::string group = number(1, 7) + number(2, static_cast<uint64_t>(begin.unix_ns)) +
                              number(3, static_cast<uint64_t>(begin.unix_ns) + kSecond * 86400) +
                              bytes(5, number(1, 7));
    const std::string database = bytes(1, "db") + bytes(3, bytes(1, "rp") + bytes(5, group));
    const std::string stored = number(1, 0) + number(2, 1) + number(3, 77) + bytes(5, database);
    const Metastore metastore = Metastore::parse(as_bytes(stored), "test");
    test::TempDir dir;
    index::Repository::create({dir / "repo"});
    const auto repository = index::Repository::open_reader({dir / "repo"});
    const CatalogState none;
    PastShards past(repository->objects(), none, "server", now);
    Manifest manifest;
    manifest.time = now;
    const std::map<ShardPath, ShardHere> nothing;
    ExtentQuestion question{metastore, nothing, "is not offered", {}, {}};
    question.asked = [](const ShardPath&) { return true; };
    judge_extent(manifest, question, past);
    return *manifest.extent;
  }
  static constexpr Timestamp kNow{2'000'000 * kSecond};
};

TEST_F(GroupTimesTest, AGroupWhoseTimeHasNotBegunIsNoLoss) {
  EXPECT_EQ(judge({kNow.unix_ns + 1}, kNow), Extent());
}
TEST_F(GroupTimesTest, AGroupThatHasJustBegunMayHaveNoShardYet) {
  EXPECT_EQ(judge({kNow.unix_ns - kSecond}, kNow), Extent());
}
TEST_F(GroupTimesTest, AGroupThatBeganEarlierIsALoss) {
  EXPECT_EQ(judge({kNow.unix_ns - kGroupGraceNs}, kNow).missing.size(), 1u);
}

}  // namespace
}  // namespace tsmfs::snapshot
