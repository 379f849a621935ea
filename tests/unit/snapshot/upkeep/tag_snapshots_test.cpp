#include "snapshot/upkeep/tag_snapshots.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/support/rewrite_manifest.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

using Tags = std::vector<std::string>;

class TagSnapshotsTest : public TwoBackupsTest {
 protected:
  TagReport tag(const TagRequest& request) {
    const auto repository = index::Repository::open_writer({root, "tag"});
    Catalog catalog(repository->storage());
    return tag_snapshots(catalog, *catalog.refresh(), request);
  }
  SnapshotPtr accept(const AcceptRequest& request) {
    const auto repository = index::Repository::open_writer({root, "tag"});
    Catalog catalog(repository->storage());
    return accept_missing_shard(catalog, *catalog.refresh(), request);
  }
};

TEST_F(TagSnapshotsTest, SaysWhatWasChangedAndWhatWasNot) {
  tag({TagChange::kAdd, "monday", {older->short_id()}});
  const auto report = tag({TagChange::kAdd, "monday", {older->short_id(), "latest"}});
  ASSERT_EQ(report.amended.size(), 1u);
  EXPECT_EQ(report.amended[0]->id, newer->id);
  EXPECT_EQ(report.amended[0]->tags, Tags{"monday"});
  ASSERT_EQ(report.unchanged.size(), 1u);
  EXPECT_EQ(report.unchanged[0]->id, older->id);
}

TEST_F(TagSnapshotsTest, ATagGoesFromWhatHasIt) {
  tag({TagChange::kAdd, "monday", {newer->short_id()}});
  const auto report = tag({TagChange::kRemove, "monday", {older->short_id(), newer->short_id()}});
  ASSERT_EQ(report.amended.size(), 1u);
  EXPECT_EQ(report.amended[0]->tags, Tags());
  EXPECT_EQ(report.unchanged.size(), 1u);
}

TEST_F(TagSnapshotsTest, ATypingErrorChangesNothing) {
  EXPECT_THROW(tag({TagChange::kAdd, "a,b", {"latest"}}), UsageError);
  EXPECT_THROW(tag({TagChange::kRemove, "monday", {"latest"}}), UsageError);
  EXPECT_THROW(tag({TagChange::kAdd, "monday", {"latest", "ffffffff"}}), UsageError);
  const auto all = snapshots();
  for (const SnapshotPtr& one : all->snapshots) EXPECT_EQ(one->tags, Tags());
}

TEST_F(TagSnapshotsTest, AMissingShardIsAcceptedOnce) {
  {
    const auto repository = index::Repository::open_writer({root, "test"});
    Manifest manifest = *newer;
    add_missing(manifest, {{"db", "rp", 3}, "it did not answer", 4000});
    test::rewrite_manifest(repository->storage(), manifest);
  }
  EXPECT_FALSE(accept({3, "latest"})->incomplete());
  EXPECT_THROW(accept({3, "latest"}), UsageError) << "it is accepted already";
  EXPECT_THROW(accept({4, "latest"}), UsageError) << "it is not missing";
}

}  // namespace
}  // namespace tsmfs::snapshot
