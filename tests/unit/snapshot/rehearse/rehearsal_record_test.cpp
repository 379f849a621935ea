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
  void note(const index::SnapshotId& id, bool sound, const std::string& extent = {}) {
    note_rehearsal(local, id, {Timestamp{kMinuteNs}, sound, "1.6.7", extent, 5}, {one, other});
  }
};

TEST_F(RehearsalRecordTest, WhatWasSeenOfAPartIsNotOfTheWhole) {
  EXPECT_TRUE(read_rehearsals(local).empty());
  note(one, true);
  note(one, false, "database a");
  const auto found = read_rehearsals(local);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found.at(one).whole->sound);
  EXPECT_FALSE(found.at(one).part->sound);
  EXPECT_EQ(found.at(one).part->extent, "database a");
  note(one, false);
  EXPECT_FALSE(read_rehearsals(local).at(one).whole->sound);
}

TEST_F(RehearsalRecordTest, ThoseOfForgottenSnapshotsGo) {
  note(one, true);
  note(one, true, "database a");
  note_rehearsal(local, other, {Timestamp{0}, true, "1.6.7", "", 5}, {other});
  const auto found = read_rehearsals(local);
  EXPECT_EQ(found.size(), 1u);
  EXPECT_TRUE(found.contains(other));
}

TEST_F(RehearsalRecordTest, OneThatCannotBeReadIsNone) {
  note(one, true);
  note(other, true);
  for (const auto& entry : std::filesystem::directory_iterator(local.rehearsals()))
    if (entry.path().filename().string().starts_with(one.hex()))
      std::filesystem::resize_file(entry.path(), 3);
  const Fd file = open_file(local.rehearsals() / "no id.json", O_WRONLY | O_CREAT);
  EXPECT_EQ(read_rehearsals(local).size(), 1u);
}

TEST_F(RehearsalRecordTest, ItsAgeIsForPeople) {
  RehearsalRecord record{Timestamp{0}, true, "1.6.7", "", 5};
  EXPECT_EQ(describe(record, Timestamp{kMinuteNs / 2}), "rehearsed just now: sound");
  EXPECT_EQ(describe(record, Timestamp{kMinuteNs}), "rehearsed 1 minute ago: sound");
  EXPECT_EQ(describe(record, Timestamp{kMinuteNs * 60 * 24 * 2}), "rehearsed 2 days ago: sound");
  record.sound = false;
  record.extent = "database a";
  EXPECT_EQ(describe(record, Timestamp{-1}), "rehearsed just now, database a: NOT sound");
}

}  // namespace
}  // namespace tsmfs::snapshot
