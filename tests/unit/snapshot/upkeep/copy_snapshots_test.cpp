#include "snapshot/upkeep/copy_snapshots.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/upkeep/repair.h"
#include "tests/support/repository_paths.h"
#include "tests/support/snapshots_in.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class CopySnapshotsTest : public TwoBackupsTest {
 protected:
  CopySnapshotsTest() { request.target = {other, "copy"}; }

  CopyReport copy() {
    const auto source = index::Repository::open_reader({root});
    return copy_snapshots(*source, request, stop.get_token());
  }
  static void lose_a_pack(const stdfs::path& repository_root) {
    stdfs::remove(test::pack_files(repository_root).front());
    repair_repository(*index::Repository::open_writer({repository_root, "test"}), {}, {});
  }

  stdfs::path other = dir / "other";
  CopyRequest request;
};

TEST_F(CopySnapshotsTest, MakesTheTargetAndTellsOfEachCopy) {
  size_t made = 0;
  std::vector<SnapshotPtr> told;
  request.on_created = [&] { ++made; };
  request.on_snapshot = [&](const CopiedSnapshot& one) { told.push_back(one.copy); };
  const CopyReport report = copy();
  EXPECT_EQ(made, 1u);
  EXPECT_EQ(report.count(CopyOutcome::kCopied), 2u);
  EXPECT_EQ(report.there, 0u);
  EXPECT_TRUE(report.complete());
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0]->original->snapshot, older->id);
  EXPECT_EQ(told[1]->original->snapshot, newer->id);
}

TEST_F(CopySnapshotsTest, WhatIsThereWholeIsCountedOnly) {
  copy();
  request.on_created = [] { ADD_FAILURE() << "it is there"; };
  const CopyReport report = copy();
  EXPECT_TRUE(report.done.empty());
  EXPECT_EQ(report.there, 2u);
  EXPECT_TRUE(report.complete());
}

TEST_F(CopySnapshotsTest, OnlyWhatIsSelectedIsCopied) {
  request.selection.names = {newer->short_id()};
  const CopyReport report = copy();
  ASSERT_EQ(report.done.size(), 1u);
  EXPECT_EQ(report.done[0].original->id, newer->id);
}

TEST_F(CopySnapshotsTest, ACopyThatLostSomethingIsHealed) {
  copy();
  lose_a_pack(other);
  const CopyReport report = copy();
  EXPECT_GT(report.count(CopyOutcome::kHealed), 0u);
  EXPECT_EQ(report.there, 2u);
  EXPECT_TRUE(report.complete());
}

TEST_F(CopySnapshotsTest, ADamagedOriginalKeepsNoOtherBack) {
  for (const auto& pack : packs())
    if (std::ranges::find(older_packs, pack) == older_packs.end())
      flip(pack, stdfs::file_size(pack) / 4);
  const CopyReport report = copy();
  EXPECT_EQ(report.count(CopyOutcome::kCopied), 1u);
  ASSERT_EQ(report.count(CopyOutcome::kUnreadable), 1u);
  EXPECT_EQ(report.done[1].original->id, newer->id);
  EXPECT_FALSE(report.done[1].copy);
  EXPECT_FALSE(report.done[1].lost.empty());
  EXPECT_FALSE(report.complete());
}

TEST_F(CopySnapshotsTest, ASelectionThatMeansNothingMakesNoRepository) {
  request.selection.host = "nobody";
  EXPECT_THROW(copy(), UsageError);
  EXPECT_FALSE(stdfs::exists(other));
}

TEST_F(CopySnapshotsTest, ARepositoryIsNotCopiedIntoItself) {
  request.target.location = root;
  EXPECT_THROW(copy(), UsageError);
}

}  // namespace
}  // namespace tsmfs::snapshot
