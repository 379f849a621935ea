// A repository lives in a storage that is no directory as it does in one.
#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/support/repository_paths.h"
#include "tests/unit/snapshot/upkeep/story.h"

namespace tsmfs::snapshot {
namespace {

class AnyStorageTest : public ::testing::Test {
 protected:
  AnyStorageTest() { index::Repository::create({location}); }
  void write(uint64_t number) { write_snapshot(location, number, acknowledged); }
  void expect_all() { expect_whole(location, acknowledged); }

  test::MemoryPlace place;
  index::RepositoryLocation location = place.location();
  Acknowledged acknowledged;
};

TEST_F(AnyStorageTest, IsMadeOnce) {
  EXPECT_FALSE(index::Repository::is_vacant(location));
  EXPECT_THROW(index::Repository::create({location}), UsageError);
  test::MemoryPlace other;
  EXPECT_TRUE(index::Repository::is_vacant(other.location()));
  EXPECT_THROW(index::open_place(other.location()), NoRepositoryError);
  EXPECT_THROW(index::Repository::open_reader({other.location()}), NoRepositoryError);
  EXPECT_THROW(index::Repository::open_writer({other.location(), "test"}), NoRepositoryError);
}

TEST_F(AnyStorageTest, OneWriterAtATimeAndReadersBesideIt) {
  write(1);
  const auto writer = index::Repository::open_writer({location, "test"});
  EXPECT_THROW(index::Repository::open_writer({location, "test"}), BusyError);
  expect_all();
}

TEST_F(AnyStorageTest, SnapshotsComeAndGo) {
  for (uint64_t number = 1; number <= 3; ++number) write(number);
  expect_all();
  forget_first(location, acknowledged);
  prune_story(location, {});
  EXPECT_EQ(acknowledged.size(), 2u);
  expect_all();
  write(4);
  expect_all();
}

TEST_F(AnyStorageTest, WhatIsDamagedIsNamedAndRepaired) {
  write(1);
  write(2);
  damage_a_pack(place.storage());
  EXPECT_FALSE(story_damages(*index::Repository::open_reader({location})).empty());
  repair_story(location, {});
  expect_all();
}

TEST_F(AnyStorageTest, ALookupThatIsLostIsMadeAgain) {
  write(1);
  const test::RepositoryPaths local(place.local());
  std::filesystem::remove_all(local.root());
  EXPECT_THROW(index::Repository::open_reader({location}), CorruptError);
  EXPECT_EQ(index::Repository::rebuild_lookup({location, "test"}).packs, 1u);
  expect_all();
  std::filesystem::remove_all(local.root());
  write(2);
  expect_all();
}

// Another machine: the same objects, and no local state.
TEST_F(AnyStorageTest, IsTheSameWithAnotherLocalState) {
  write(1);
  const test::TempDir elsewhere;
  const index::RepositoryLocation there = {
      "there", [&] {
        return index::RepositoryPlace{
            std::make_unique<test::FaultyStorage>(place.storage(), 0, test::When::kBefore),
            index::LocalState(elsewhere / "a" / "b")};
      }};
  write_snapshot(there, 2, acknowledged);
  expect_whole(there, acknowledged);
  // Here the lookup is behind, as a reader's may be; a writer takes up what came.
  write(3);
  expect_all();
}

TEST_F(AnyStorageTest, IsCopiedToADirectoryAndBack) {
  write(1);
  write(2);
  const test::TempDir dir;
  index::Repository::create({dir / "repo"});
  copy_story(location, dir / "repo", {});
  test::MemoryPlace back;
  index::Repository::create({back.location()});
  copy_story(dir / "repo", back.location(), {});
  const auto repository = index::Repository::open_reader({back.location()});
  const auto copies = Catalog(repository->storage()).refresh()->snapshots;
  ASSERT_EQ(copies.size(), 2u);
  for (const SnapshotPtr& copy : copies)
    EXPECT_EQ(story_files(*repository, *copy), acknowledged.at(copy->original->snapshot));
}

}  // namespace
}  // namespace tsmfs::snapshot
