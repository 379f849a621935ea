// An import never takes for stored what cannot be read: a file that the lookup knows has every pack
// that its recipe needs.
#include <algorithm>

#include "index/repository/rebuild.h"
#include "snapshot/import/import.h"
#include "tests/unit/known_file_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

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

TEST_F(StaleEntryTest, TheNextImportDoesNotBelieveIt) {
  const auto third = import_files(both_, 3);
  EXPECT_EQ(contents_of(third->data).at("db/rp/1/000000001-000000001.tsm"), returning_);
  expect_sound();
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

}  // namespace
}  // namespace tsmfs::snapshot
