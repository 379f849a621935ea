#include "snapshot/intake/snapshot_builder.h"

#include "index/base/error.h"
#include "index/base/invariant.h"
#include "snapshot/model/tree_store.h"
#include "tests/unit/known_file_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class SnapshotBuilderTest : public KnownFileTest {
 protected:
  // A repository that is written to, and the beginning of a manifest.
  struct Target {
    explicit Target(const stdfs::path& root)
        : repository(index::Repository::open_writer({root, "test"})) {
      manifest.server = "server";
    }
    SnapshotBuilder builder() { return {*repository, writer, catalog, manifest}; }

    std::unique_ptr<index::Repository> repository;
    index::RepositoryWriter writer{*repository, {}};
    Catalog catalog{repository->storage()};
    Manifest manifest;
  };
};

TEST_F(SnapshotBuilderTest, ADirectoryOfWhatIsNotStoredIsRefused) {
  Target target(root);
  const TreeEntry file{"file", EntryKind::kFile, 0644, {}, 1, 0, index::FileId{}};
  EXPECT_THROW(store_tree(target.writer, {file}), InvariantError);
  const TreeEntry directory{"directory", EntryKind::kDirectory, 0755, {}, 0, 0, index::TreeId{}};
  EXPECT_THROW(store_tree(target.writer, {directory}), InvariantError);
}

TEST_F(SnapshotBuilderTest, ASnapshotWithoutItsTreesIsNotPublished) {
  Target target(root);
  target.manifest.id = index::random_id<index::SnapshotId>();
  EXPECT_THROW(publish_durably(target.writer, target.catalog, target.manifest), InvariantError);
  EXPECT_TRUE(target.catalog.refresh()->snapshots.empty());
}

TEST_F(SnapshotBuilderTest, AManifestThatNoReaderWouldTakeIsNotPublished) {
  Target target(root);
  target.manifest.databases.assign(200'000, std::string(100, 'x'));
  SnapshotBuilder large = target.builder();
  EXPECT_THROW(large.publish(), InvariantError);
  target.manifest.databases.clear();
  target.manifest.server = "a/b";
  SnapshotBuilder misnamed = target.builder();
  EXPECT_THROW(misnamed.publish(), UsageError);
  EXPECT_TRUE(target.catalog.refresh()->snapshots.empty());
  EXPECT_TRUE(target.catalog.refresh()->damaged.empty());
}

TEST_F(SnapshotBuilderTest, MoreProblemsThanAManifestHoldsAreCounted) {
  Target target(root);
  SnapshotBuilder builder = target.builder();
  for (int i = 0; i < 100'000; ++i)
    builder.problem(Problem::Severity::kWarning, "db/rp/1", std::string(900, 'x'));
  builder.problem(Problem::Severity::kIncomplete, "db/rp/1", "the last one");
  const auto snapshot = builder.publish();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_NE(snapshot->problems.back().what.find("problems more"), std::string::npos);
  EXPECT_EQ(target.catalog.refresh()->snapshots.size(), 1u);
}

TEST_F(SnapshotBuilderTest, AFileWithLostBytesThatIsCarriedOverMakesTheSnapshotIncomplete) {
  const auto first = import_files(both_, 1);
  {
    const auto repository = index::Repository::open_reader({root});
    const auto recipe = repository->objects().read_recipe(id_in(*repository, returning_));
    stdfs::remove(
        test::RepositoryPaths(repository->local().root()).pack(packs_needed(*recipe).front()));
  }
  Target target(root);
  SnapshotBuilder builder = target.builder();
  const auto shards = shard_entries(target.repository->objects(), first->data);
  const Tree shard =
      read_tree(target.repository->objects(), shards.at({"db", "rp", 1}).directory());
  builder.add_shard({"db", "rp", 1}, shard.entries(), 0);
  const auto snapshot = builder.publish();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kIncomplete,
                          "db/rp/1/000000001-000000001.tsm", "lost"));
}

}  // namespace
}  // namespace tsmfs::snapshot
