#include "snapshot/upkeep/forget_snapshots.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

class ForgetSnapshotsTest : public TwoBackupsTest {
 protected:
  ForgetSnapshotsTest() { request.policy.last = 1; }
  ForgetResult forget() {
    const auto repository = index::Repository::open_writer({root, "forget"});
    Catalog catalog(repository->storage());
    return forget_snapshots(catalog, *catalog.refresh(), request);
  }
  ForgetResult preview() {
    const auto repository = index::Repository::open_reader({root});
    Catalog catalog(repository->storage());
    return preview_forget(*repository, *catalog.refresh(), request);
  }
  ForgetRequest request;
};

TEST_F(ForgetSnapshotsTest, APreviewSaysWhatWouldGoAndChangesNothing) {
  const ForgetResult result = preview();
  ASSERT_EQ(result.going.size(), 1u);
  EXPECT_EQ(result.going[0]->id, older->id);
  EXPECT_FALSE(result.groups.empty());
  EXPECT_EQ(snapshots()->snapshots.size(), 2u);
}

TEST_F(ForgetSnapshotsTest, WhatGoesIsGone) {
  const ForgetResult result = forget();
  ASSERT_EQ(result.going.size(), 1u);
  ASSERT_EQ(snapshots()->snapshots.size(), 1u);
  EXPECT_EQ(snapshots()->snapshots[0]->id, newer->id);
  EXPECT_TRUE(forget().going.empty());
}

TEST_F(ForgetSnapshotsTest, WhatIsNotAllowedTakesNothing) {
  request.policy.last = 0;
  EXPECT_THROW(forget(), UsageError);
  request.selection.names = {older->short_id(), newer->short_id()};
  EXPECT_THROW(forget(), UsageError);
  EXPECT_EQ(snapshots()->snapshots.size(), 2u);
}

}  // namespace
}  // namespace tsmfs::snapshot
