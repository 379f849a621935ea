// The invariant "a file that the index knows has every pack that its recipe needs", at each place
// that could break it.
#include "index/format/recipe_needs.h"

#include <gtest/gtest.h>

#include <fstream>

#include "index/base/error.h"
#include "index/pack/pack_filler.h"
#include "index/rewrite/pack_rewriter.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/tree_store.h"
#include "snapshot/upkeep/copier.h"
#include "snapshot/upkeep/prune.h"
#include "snapshot/upkeep/repair.h"
#include "tests/support/repository_paths.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;
using index::PackId;

PackId pack(uint8_t number) {
  PackId id;
  id.bytes[0] = std::byte{number};
  return id;
}

TEST(RecipeNeeds, NamesEachPackThatARunCopiesFromOnce) {
  index::RecipeBuilder builder(index::FileId{});
  builder.add_copy(pack(1), 0, 10);
  builder.add_literal(as_bytes("literal"));
  builder.add_copy(pack(2), 5, 5);
  builder.add_copy(pack(1), 50, 10);
  EXPECT_EQ(packs_needed(builder.recipe()), (std::vector<PackId>{pack(1), pack(2)}));
  uint64_t bytes = 0;
  for_each_need(builder.recipe(),
                [&](const PackId&, index::ByteRange range) { bytes += range.end - range.start; });
  EXPECT_EQ(bytes, 25u);
}

// Files that were stored in several small packs, some of which a prune takes.
class KnownFileTest : public ImportTest {
 protected:
  KnownFileTest() {
    const auto path = test::RepositoryPaths(root).config();
    index::Config config = index::decode_config(read_whole_file(path, 1 << 20), "config");
    config.pack_bytes = 256 << 10;
    config.frame_bytes = 4096;
    std::ofstream(path) << index::encode_config(config);
  }

  SnapshotPtr import_files(const FileContents& files, int64_t hour) {
    const auto shard = source / "db" / "rp" / "1";
    stdfs::remove_all(shard);
    for (const auto& [name, content] : files) write_file(shard / name, content);
    const DataDir found = read_data_dir({source, {}, {}});
    const auto result = with_target(
        [&](const ImportOptions& options, ImportTarget& target) {
          return import_data_dir(found, options, target, {});
        },
        Timestamp{(kEpoch + 3600 * hour) * kSecond});
    return result.reports.at(0).snapshot;
  }
  void forget(const SnapshotPtr& snapshot) {
    const auto repository = index::Repository::open_writer({root, "test"});
    Catalog(repository->storage()).remove({snapshot});
  }
  void prune(double max_unused) {
    const auto repository = index::Repository::open_writer({root, "test"});
    Catalog catalog(repository->storage());
    PruneOptions options;
    options.max_unused = max_unused;
    prune_repository(*repository, catalog, options, {});
  }
  static std::string random_text(size_t bytes, uint64_t seed) {
    return std::string(as_text(test::random_bytes(bytes, seed)));
  }
  static index::FileId id_in(index::Repository& repository, const std::string& content) {
    return repository.key().digest<index::FileId>(as_bytes(content));
  }

  const std::string returning_ = random_text(700'000, 1);
  const FileContents both_ = {{"000000001-000000001.tsm", returning_},
                              {"000000002-000000001.tsm", random_text(300'000, 2)}};
  const FileContents one_ = {{"000000002-000000001.tsm", both_.at("000000002-000000001.tsm")}};
};

TEST_F(KnownFileTest, ContentThatComesBackAfterAPruneIsStoredAgain) {
  for (const double max_unused : {0.0, 0.1, 0.3, 1.0}) {
    const auto first = import_files(both_, 1);
    const auto second = import_files(one_, 2);
    forget(first);
    prune(max_unused);
    {
      const auto repository = index::Repository::open_writer({root, "test"});
      EXPECT_FALSE(repository->lookup().find_file(id_in(*repository, returning_))) << max_unused;
    }
    const auto third = import_files(both_, 3);
    EXPECT_EQ(contents_of(third->data).at("db/rp/1/000000001-000000001.tsm"), returning_);
    expect_sound();
    forget(second);
    forget(third);
    prune(0);
  }
}

// As a repository that was pruned by an older tsmfs: the entry is there, its pack is not.
class StaleEntryTest : public KnownFileTest {
 protected:
  StaleEntryTest() {
    const auto first = import_files(both_, 1);
    import_files(one_, 2);
    forget(first);
    const auto repository = index::Repository::open_writer({root, "test"});
    const auto recipe = repository->objects().read_recipe(id_in(*repository, returning_));
    const PackId gone = packs_needed(*recipe).front();
    std::optional<index::PackNumber> number;
    repository->lookup().for_each_pack([&](index::PackNumber one, const index::PackRecord& record) {
      if (record.id == gone) number = one;
    });
    const auto reader = repository->packs().open_anew(gone);
    repository->lookup().remove_pack(*number, reader->frames(), reader->read_blobs());
    stdfs::remove(test::RepositoryPaths(repository->local().root()).pack(gone));
    EXPECT_TRUE(repository->lookup().find_file(id_in(*repository, returning_)));
  }
};

TEST_F(StaleEntryTest, TheNextImportDoesNotBelieveIt) {
  const auto third = import_files(both_, 3);
  EXPECT_EQ(contents_of(third->data).at("db/rp/1/000000001-000000001.tsm"), returning_);
  expect_sound();
}

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

TEST_F(KnownFileTest, AFileOfADamagedPackThatWasLeftOutIsNotKnown) {
  import_files(both_, 1);
  // The table of the first pack: the index is made again without it.
  stdfs::path first_pack;
  {
    const auto repository = index::Repository::open_reader({root});
    const auto recipe = repository->objects().read_recipe(id_in(*repository, returning_));
    first_pack =
        test::RepositoryPaths(repository->local().root()).pack(packs_needed(*recipe).front());
  }
  flip(first_pack, stdfs::file_size(first_pack) - 70);
  index::Repository::rebuild_lookup({root, "test"});
  {
    const auto repository = index::Repository::open_writer({root, "test"});
    EXPECT_TRUE(repository->lookup().find_file(id_in(*repository, returning_))->lossy);
  }
  const auto again = import_files(both_, 2);
  EXPECT_EQ(contents_of(again->data).at("db/rp/1/000000001-000000001.tsm"), returning_);
}

TEST_F(KnownFileTest, WhatAPackThatCameBackCompletesIsWholeAgain) {
  import_files(both_, 1);
  PackId id;
  stdfs::path path;
  {
    const auto repository = index::Repository::open_reader({root});
    const auto recipe = repository->objects().read_recipe(id_in(*repository, returning_));
    id = packs_needed(*recipe).front();
    path = test::RepositoryPaths(repository->local().root()).pack(id);
  }
  stdfs::rename(path, dir / "aside");
  index::Repository::rebuild_lookup({root, "test"});
  stdfs::rename(dir / "aside", path);
  const auto repository = index::Repository::open_writer({root, "test"});
  EXPECT_FALSE(repository->lookup().find_file(id_in(*repository, returning_))->lossy);
}

// Whichever pack is cut short, and however far: what a backup then saves can be read.
TEST_F(KnownFileTest, WhatIsImportedBesideADamagedPackIsWhole) {
  const FileContents files{{"000000001-000000001.tsm", points(0, 9000)},
                           {"000000002-000000001.tsm", points(50'000, 90'000)}};
  import_files(files, 1);
  const size_t count = packs().size();
  for (size_t damaged = 0; damaged < count; ++damaged)
    for (const uint64_t left : {uint64_t{0}, uint64_t{100}, uint64_t{20'000}}) {
      auto all = packs();
      std::ranges::sort(all);
      const stdfs::path pack = all.at(damaged);
      stdfs::resize_file(pack, std::min<uint64_t>(left, stdfs::file_size(pack) - 1));
      const SnapshotPtr made =
          import_files(files, 2 + static_cast<int64_t>(3 * damaged + left % 97));
      EXPECT_FALSE(made->incomplete());
      EXPECT_EQ(
          contents_of(made->data),
          (FileContents{{"db/rp/1/000000001-000000001.tsm", files.at("000000001-000000001.tsm")},
                        {"db/rp/1/000000002-000000001.tsm", files.at("000000002-000000001.tsm")}}))
          << pack << " cut to " << left;
    }
}

TEST_F(KnownFileTest, AnImportThatIsThereAlreadyHealsWhatItLost) {
  const FileContents files{{"000000001-000000001.tsm", points(0, 9000)}};
  const SnapshotPtr made = import_files(files, 1);
  for (const stdfs::path& pack : packs()) stdfs::remove(pack);
  EXPECT_EQ(import_files(files, 1)->id, made->id);
  EXPECT_EQ(contents_of(made->data).size(), 1u);
  expect_sound();
}

TEST_F(KnownFileTest, AnIndexRefusesARecipeWithoutItsPacks) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::PackContents contents;
  contents.header = {pack(1), repository->config().id, 1};
  contents.lists.needed = {pack(1)};
  EXPECT_NO_THROW(repository->lookup().add_pack(contents));
  contents.header = {pack(2), repository->config().id, 2};
  contents.lists.needed = {pack(1), pack(3)};
  EXPECT_THROW(repository->lookup().add_pack(contents), InvariantError);
  EXPECT_FALSE(repository->lookup().has_pack(pack(2)));
}

TEST_F(KnownFileTest, ADirectoryOfWhatIsNotStoredIsRefused) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  const TreeEntry file{"file", EntryKind::kFile, 0644, {}, 1, 0, index::FileId{}};
  EXPECT_THROW(store_tree(writer, {file}), InvariantError);
  const TreeEntry directory{"directory", EntryKind::kDirectory, 0755, {}, 0, 0, index::TreeId{}};
  EXPECT_THROW(store_tree(writer, {directory}), InvariantError);
}

TEST_F(KnownFileTest, ASnapshotWithoutItsTreesIsNotPublished) {
  const auto repository = index::Repository::open_writer({root, "test"});
  index::RepositoryWriter writer(*repository, {});
  Catalog catalog(repository->storage());
  Manifest manifest;
  manifest.id = index::random_id<index::SnapshotId>();
  manifest.server = "server";
  EXPECT_THROW(publish_durably(writer, catalog, manifest), InvariantError);
  EXPECT_TRUE(catalog.refresh()->snapshots.empty());
}

TEST_F(KnownFileTest, AManifestThatNoReaderWouldTakeIsNotPublished) {
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

TEST_F(KnownFileTest, MoreProblemsThanAManifestHoldsAreCounted) {
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

TEST_F(KnownFileTest, AFileWithLostBytesThatIsCarriedOverMakesTheSnapshotIncomplete) {
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
