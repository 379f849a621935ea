#include "snapshot/rehearse/rehearsal_record.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "index/base/file.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::snapshot {
namespace {

constexpr int64_t kMinuteNs = 60'000'000'000;

struct RehearsalRecordTest : testing::Test {
  test::TempDir dir;
  index::LocalState local{dir / "repository"};
  index::SnapshotId one = index::random_id<index::SnapshotId>(),
                    other = index::random_id<index::SnapshotId>();
  RehearsalRecordTest() { make_directory(local.root()); }
  void note(const index::SnapshotId& id, Verdict verdict, const std::string& extent = {}) {
    note_rehearsal(local, id, {Timestamp{kMinuteNs}, verdict, "1.6.7", extent, 5}, {one, other});
  }
};

TEST_F(RehearsalRecordTest, WhatWasSeenOfAPartIsNotOfTheWhole) {
  EXPECT_TRUE(read_rehearsals(local).empty());
  note(one, Verdict::kSound);
  note(one, Verdict::kUnsound, "database a");
  const auto found = read_rehearsals(local);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.at(one).whole->verdict, Verdict::kSound);
  EXPECT_EQ(found.at(one).part->verdict, Verdict::kUnsound);
  EXPECT_EQ(found.at(one).part->extent, "database a");
  for (const Verdict last : {Verdict::kUnsound, Verdict::kIncomplete}) {
    note(one, last);
    EXPECT_EQ(read_rehearsals(local).at(one).whole->verdict, last);
  }
}

TEST_F(RehearsalRecordTest, ThoseOfForgottenSnapshotsGo) {
  note(one, Verdict::kSound);
  note(one, Verdict::kSound, "database a");
  note_rehearsal(local, other, {Timestamp{0}, Verdict::kSound, "1.6.7", "", 5}, {other});
  const auto found = read_rehearsals(local);
  EXPECT_EQ(found.size(), 1u);
  EXPECT_TRUE(found.contains(other));
}

TEST_F(RehearsalRecordTest, OneThatCannotBeReadIsNone) {
  note(one, Verdict::kSound);
  note(other, Verdict::kSound);
  for (const auto& entry : std::filesystem::directory_iterator(local.rehearsals()))
    if (entry.path().filename().string().starts_with(one.hex()))
      std::filesystem::resize_file(entry.path(), 3);
  const Fd file = open_file(local.rehearsals() / "no id.json", O_WRONLY | O_CREAT);
  EXPECT_EQ(read_rehearsals(local).size(), 1u);
}

TEST_F(RehearsalRecordTest, ItsAgeIsForPeople) {
  RehearsalRecord record{Timestamp{0}, Verdict::kSound, "1.6.7", "", 5};
  EXPECT_EQ(describe(record, Timestamp{kMinuteNs / 2}), "rehearsed just now: sound");
  EXPECT_EQ(describe(record, Timestamp{kMinuteNs}), "rehearsed 1 minute ago: sound");
  EXPECT_EQ(describe(record, Timestamp{kMinuteNs * 60 * 24 * 2}), "rehearsed 2 days ago: sound");
  record.verdict = Verdict::kUnsound;
  record.extent = "database a";
  EXPECT_EQ(describe(record, Timestamp{-1}), "rehearsed just now, database a: NOT sound");
  record.verdict = Verdict::kIncomplete;
  EXPECT_EQ(describe(record, Timestamp{0}), "rehearsed just now, database a: INCOMPLETE");
}

}  // namespace
}  // namespace tsmfs::snapshot
