// What upkeep does about a file that the lookup knows and whose pack is gone.
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/upkeep/copier.h"
#include "tests/unit/known_file_fixture.h"

namespace tsmfs::snapshot {
namespace {

TEST_F(StaleEntryTest, CheckNamesIt) {
  const auto found = damages(index::ReadData::kNo);
  ASSERT_EQ(found.size(), 1u);
  const auto repository = index::Repository::open_reader({root});
  EXPECT_NE(found[0].find(id_in(*repository, returning_).hex()), std::string::npos) << found[0];
  EXPECT_NE(found[0].find("rebuild-index"), std::string::npos) << found[0];
}

TEST_F(StaleEntryTest, APruneTakesItOut) {
  prune(1);
  expect_sound();
}

TEST_F(StaleEntryTest, ARebuildNotesItAsLossy) {
  index::Repository::rebuild_lookup({root, "test"});
  const auto repository = index::Repository::open_writer({root, "test"});
  const auto place = repository->lookup().find_file(id_in(*repository, returning_));
  ASSERT_TRUE(place);
  EXPECT_TRUE(place->lossy);
  expect_sound();
}

TEST_F(StaleEntryTest, ACopyBackHealsWhatItBrings) {
  const auto second_root = dir / "second";
  index::Repository::create({second_root});
  SnapshotPtr original;
  {
    const auto repository = index::Repository::open_writer({second_root, "test"});
    index::RepositoryWriter writer(*repository, {});
    Catalog catalog(repository->storage());
    Manifest manifest;
    manifest.server = "server";
    SnapshotBuilder builder(*repository, writer, catalog, manifest);
    const auto stored = test::put(writer, as_bytes(returning_), index::FileKind::kOther);
    builder.add_shard(
        {"db", "rp", 1},
        {{"000000001-000000001.tsm", EntryKind::kFile, 0644, {}, stored.size, 0, stored.id}}, 0);
    original = builder.publish();
  }
  const auto source_repository = index::Repository::open_reader({second_root});
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  Catalog catalog(repository->storage());
  catalog.refresh();
  const auto copied = Copier(*source_repository, *repository, writer, catalog, {}).copy(*original);
  EXPECT_EQ(contents_of(copied->data).at("db/rp/1/000000001-000000001.tsm"), returning_);
}

}  // namespace
}  // namespace tsmfs::snapshot
