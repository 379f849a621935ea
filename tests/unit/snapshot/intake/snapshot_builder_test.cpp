#include "snapshot/intake/snapshot_builder.h"

#include "index/base/error.h"
#include "index/base/invariant.h"
#include "snapshot/model/tree_store.h"
#include "tests/unit/known_file_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class SnapshotBuilderTest : public KnownFileTest {};

TEST_F(SnapshotBuilderTest, ADirectoryOfWhatIsNotStoredIsRefused) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  const TreeEntry file{"file", EntryKind::kFile, 0644, {}, 1, 0, index::FileId{}};
  EXPECT_THROW(store_tree(writer, {file}), InvariantError);
  const TreeEntry directory{"directory", EntryKind::kDirectory, 0755, {}, 0, 0, index::TreeId{}};
  EXPECT_THROW(store_tree(writer, {directory}), InvariantError);
}

TEST_F(SnapshotBuilderTest, ASnapshotWithoutItsTreesIsNotPublished) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  Catalog catalog(repository->storage());
  Manifest manifest;
  manifest.id = index::random_id<index::SnapshotId>();
  manifest.server = "server";
  EXPECT_THROW(publish_durably(writer, catalog, manifest), InvariantError);
  EXPECT_TRUE(catalog.refresh()->snapshots.empty());
}

TEST_F(SnapshotBuilderTest, AManifestThatNoReaderWouldTakeIsNotPublished) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  Catalog catalog(repository->storage());
  Manifest manifest;
  manifest.server = "server";
  manifest.databases.assign(200'000, std::string(100, 'x'));
  SnapshotBuilder large(*repository, writer, catalog, manifest);
  EXPECT_THROW(large.publish(), InvariantError);
  manifest.databases.clear();
  manifest.server = "a/b";
  SnapshotBuilder misnamed(*repository, writer, catalog, manifest);
  EXPECT_THROW(misnamed.publish(), UsageError);
  EXPECT_TRUE(catalog.refresh()->snapshots.empty());
  EXPECT_TRUE(catalog.refresh()->damaged.empty());
}

TEST_F(SnapshotBuilderTest, MoreProblemsThanAManifestHoldsAreCounted) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  Catalog catalog(repository->storage());
  Manifest manifest;
  manifest.server = "server";
  SnapshotBuilder builder(*repository, writer, catalog, manifest);
  for (int i = 0; i < 100'000; ++i)
    builder.problem(Problem::Severity::kWarning, "db/rp/1", std::string(900, 'x'));
  builder.problem(Problem::Severity::kIncomplete, "db/rp/1", "the last one");
  const auto snapshot = builder.publish();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_NE(snapshot->problems.back().what.find("problems more"), std::string::npos);
  EXPECT_EQ(catalog.refresh()->snapshots.size(), 1u);
}

TEST_F(SnapshotBuilderTest, AFileWithLostBytesThatIsCarriedOverMakesTheSnapshotIncomplete) {
  const auto first = import_files(both_, 1);
  {
    const auto repository = index::Repository::open_reader({root});
    const auto recipe = repository->objects().read_recipe(id_in(*repository, returning_));
    stdfs::remove(
        test::RepositoryPaths(repository->local().root()).pack(packs_needed(*recipe).front()));
  }
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  Catalog catalog(repository->storage());
  Manifest manifest;
  manifest.server = "server";
  SnapshotBuilder builder(*repository, writer, catalog, manifest);
  const auto shards = shard_entries(repository->objects(), first->data);
  const Tree shard = read_tree(repository->objects(), shards.at({"db", "rp", 1}).directory());
  builder.add_shard({"db", "rp", 1}, shard.entries(), 0);
  const auto snapshot = builder.publish();
  EXPECT_TRUE(snapshot->incomplete());
  EXPECT_TRUE(has_problem(snapshot->problems, Problem::Severity::kIncomplete,
                          "db/rp/1/000000001-000000001.tsm", "lost"));
}

}  // namespace
}  // namespace tsmfs::snapshot
