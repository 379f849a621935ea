// Each call of the storage fails, one after the other, at each step of a repository's life: nothing
// that was acknowledged is lost, the error names the object, and the next run goes on.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <functional>

#include "index/base/error.h"
#include "tests/unit/snapshot/upkeep/story.h"

namespace tsmfs::snapshot {
namespace {

using test::Faults, test::When;

// What a step works on.
struct StoryWorld {
  test::MemoryPlace place;
  Acknowledged acknowledged;
  std::stop_source stop;
};

// A step over the storage as it is reached through faults, or without.
using Step = std::function<void(const index::RepositoryLocation&, StoryWorld&)>;

struct FaultKind {
  const char* name;
  When when;
  int error_number;  // 0: none, a stop is requested
};
// A disk's EIO is damage to those that look for some: the others are not.
constexpr FaultKind kLost{"no answer", When::kBefore, ETIMEDOUT};
constexpr FaultKind kAnswerLost{"a lost answer", When::kAfter, ETIMEDOUT};
constexpr FaultKind kFull{"no space", When::kBefore, ENOSPC};
constexpr FaultKind kBadSector{"a bad sector", When::kBefore, EIO};
constexpr FaultKind kStop{"a stop", When::kBefore, 0};

// Calls `attempt` with every other number, from 1 on, until no call has failed (it returns false),
// with one of these kinds in turn; where TSMFS_FAULTS_ALL is set, with each number and all kinds.
void at_each_call(const std::vector<FaultKind>& kinds,
                  const std::function<bool(const FaultKind&, size_t number)>& attempt) {
  const bool all = std::getenv("TSMFS_FAULTS_ALL") != nullptr;
  const size_t each = all ? kinds.size() : 1, step = all ? 1 : 2;
  size_t number = 1;
  for (bool came = true; came && !::testing::Test::HasFailure(); number += step)
    for (size_t i = 0; i < each; ++i)
      came = attempt(kinds[(number / step + i) % kinds.size()], number);
  EXPECT_GT(number, 4u);
}

std::shared_ptr<Faults> faults_of(const FaultKind& kind, size_t number, std::stop_source& stop) {
  if (kind.error_number != 0) return std::make_shared<Faults>(number, kind.when, kind.error_number);
  return std::make_shared<Faults>(number, [&stop] { stop.request_stop(); });
}

class AnyStorageFaultsTest : public ::testing::Test {
 protected:
  AnyStorageFaultsTest() {
    index::Repository::create({base.place.location()});
    for (uint64_t number = 1; number <= 3; ++number)
      write_snapshot(base.place.location(), number, base.acknowledged);
  }

  // Fails the call of that number; false when there were fewer.
  bool try_step(const Step& step, const FaultKind& kind, size_t number) {
    SCOPED_TRACE(std::string(kind.name) + " at call " + std::to_string(number));
    StoryWorld world{base.place, base.acknowledged, {}};
    const auto faults = faults_of(kind, number, world.stop);
    try {
      step(world.place.location(faults), world);
    } catch (const Cancelled&) {
      EXPECT_EQ(kind.error_number, 0);
    } catch (const Error& error) {
      const std::string object(index::name_in_key(faults->object()));
      EXPECT_NE(std::string(error.what()).find(object), std::string::npos)
          << error.what() << " does not name " << object;
    }
    if (!faults->has_failed()) return false;
    SCOPED_TRACE("the call was for " + faults->object());
    if (is_whole_between) expect_whole(world.place.location(), world.acknowledged);
    world.stop = {};
    EXPECT_NO_THROW(step(world.place.location(), world));
    expect_whole(world.place.location(), world.acknowledged);
    return true;
  }
  void try_all(const Step& step, const std::vector<FaultKind>& kinds) {
    at_each_call(
        kinds, [&](const FaultKind& kind, size_t number) { return try_step(step, kind, number); });
  }
  bool is_whole_between = true;  // also before the step was done again
  StoryWorld base;
};

TEST_F(AnyStorageFaultsTest, Write) {
  try_all([](const index::RepositoryLocation& location,
             StoryWorld& world) { write_snapshot(location, 4, world.acknowledged); },
          {kLost, kAnswerLost, kFull, kBadSector});
}

TEST_F(AnyStorageFaultsTest, Forget) {
  try_all([](const index::RepositoryLocation& location,
             StoryWorld& world) { forget_first(location, world.acknowledged); },
          {kLost, kAnswerLost, kFull, kBadSector});
}

TEST_F(AnyStorageFaultsTest, Prune) {
  forget_first(base.place.location(), base.acknowledged);
  try_all([](const index::RepositoryLocation& location,
             StoryWorld& world) { prune_story(location, world.stop.get_token()); },
          {kLost, kAnswerLost, kFull, kBadSector, kStop});
}

TEST_F(AnyStorageFaultsTest, Check) {
  try_all(
      [](const index::RepositoryLocation& location, StoryWorld& world) {
        EXPECT_EQ(
            story_damages(*index::Repository::open_reader({location}), world.stop.get_token()),
            std::vector<std::string>());
      },
      {kLost, kAnswerLost, kFull, kStop});
}

TEST_F(AnyStorageFaultsTest, Read) {
  try_all(
      [](const index::RepositoryLocation& location, StoryWorld& world) {
        const auto repository = index::Repository::open_reader({location});
        const auto state = Catalog(repository->storage()).refresh();
        EXPECT_TRUE(state->is_sound());
        for (const SnapshotPtr& snapshot : state->snapshots)
          EXPECT_EQ(story_files(*repository, *snapshot), world.acknowledged.at(snapshot->id));
      },
      {kLost, kAnswerLost});
}

TEST_F(AnyStorageFaultsTest, Repair) {
  damage_a_pack(base.place.storage());
  is_whole_between = false;
  try_all([](const index::RepositoryLocation& location,
             StoryWorld& world) { repair_story(location, world.stop.get_token()); },
          {kLost, kAnswerLost, kFull, kStop});
}

// Of a rebuild that was not ended there may be no lookup; one that could not read a pack has left
// it out.
TEST_F(AnyStorageFaultsTest, RebuildLookup) {
  is_whole_between = false;
  try_all(
      [](const index::RepositoryLocation& location, StoryWorld&) {
        index::Repository::rebuild_lookup({location, "test"});
      },
      {kLost, kAnswerLost, kFull, kBadSector});
}

TEST_F(AnyStorageFaultsTest, AWriterWithoutALookupMakesOne) {
  std::filesystem::remove_all(base.place.local());
  is_whole_between = false;
  try_all(
      [](const index::RepositoryLocation& location, StoryWorld&) {
        index::Repository::open_writer({location, "test"});
      },
      {kLost, kAnswerLost, kFull});
}

// What is not a directory cannot be begun anew once its config is there: then it is a repository.
TEST(CreationFaultsTest, IsEndedByTheNextOne) {
  at_each_call({kLost, kAnswerLost, kFull}, [](const FaultKind& kind, size_t number) {
    SCOPED_TRACE(std::string(kind.name) + " at call " + std::to_string(number));
    const test::TempDir dir;
    std::stop_source stop;
    const auto faults = faults_of(kind, number, stop);
    test::MemoryPlace memory;
    const index::RepositoryLocation sound[] = {memory.location(), dir / "repo"};
    const index::RepositoryLocation faulty[] = {memory.location(faults),
                                                test::faulty_directory(dir / "repo", faults)};
    for (size_t i = 0; i < 2; ++i) {
      try {
        index::Repository::create({faulty[i]});
      } catch (const IoError&) {
        EXPECT_TRUE(faults->has_failed());
      }
      if (index::Repository::is_vacant(sound[i])) index::Repository::create({sound[i]});
      Acknowledged acknowledged;
      write_snapshot(sound[i], 1, acknowledged);
      expect_whole(sound[i], acknowledged);
    }
    return faults->has_failed();
  });
}

// From memory to a directory or back, with faults at the one or the other.
class CopyFaultsTest : public AnyStorageFaultsTest {
 protected:
  CopyFaultsTest() {
    index::Repository::create({dir / "repo"});
    copy_story(base.place.location(), dir / "repo", {});
    index::Repository::create({empty.location()});
  }
  static void expect_copies(const index::RepositoryLocation& location,
                            const Acknowledged& acknowledged, size_t count) {
    const auto repository = index::Repository::open_reader({location});
    const auto state = Catalog(repository->storage()).refresh();
    EXPECT_GE(state->snapshots.size(), count);
    for (const SnapshotPtr& copy : state->snapshots)
      EXPECT_EQ(story_files(*repository, *copy), acknowledged.at(copy->original->snapshot));
  }
  // `locate` gives the two places, one of them with faults.
  void try_copies(
      const std::function<std::pair<index::RepositoryLocation, index::RepositoryLocation>(
          const test::MemoryPlace& target, std::shared_ptr<Faults>)>& locate) {
    at_each_call({kLost, kAnswerLost, kFull, kStop}, [&](const FaultKind& kind, size_t number) {
      SCOPED_TRACE(std::string(kind.name) + " at call " + std::to_string(number));
      test::MemoryPlace target(empty);
      std::stop_source stop;
      const auto faults = faults_of(kind, number, stop);
      const auto [from, to] = locate(target, faults);
      try {
        copy_story(from, to, stop.get_token());
      } catch (const Cancelled&) {
        EXPECT_TRUE(stop.stop_requested());
      } catch (const IoError& error) {
        const std::string object(index::name_in_key(faults->object()));
        EXPECT_NE(std::string(error.what()).find(object), std::string::npos) << error.what();
      }
      expect_copies(target.location(), base.acknowledged, 0);
      copy_story(dir / "repo", target.location(), {});
      expect_copies(target.location(), base.acknowledged, 3);
      return faults->has_failed();
    });
  }

  test::TempDir dir;
  test::MemoryPlace empty;
};

TEST_F(CopyFaultsTest, AtTheSource) {
  try_copies([&](const test::MemoryPlace& target, std::shared_ptr<Faults> faults) {
    return std::pair(test::faulty_directory(dir / "repo", std::move(faults)), target.location());
  });
}

TEST_F(CopyFaultsTest, AtTheTarget) {
  try_copies([&](const test::MemoryPlace& target, std::shared_ptr<Faults> faults) {
    return std::pair(index::RepositoryLocation(dir / "repo"), target.location(std::move(faults)));
  });
}

}  // namespace
}  // namespace tsmfs::snapshot
