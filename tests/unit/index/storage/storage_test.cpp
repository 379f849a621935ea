// What every implementation of Storage promises, and what the directory promises beyond it.
#include "index/storage/storage.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/storage/directory_storage.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory_storage.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::index {
namespace {

namespace stdfs = std::filesystem;
using Keys = std::vector<std::string>;

class InDirectory {
 public:
  InDirectory() { storage_.make(); }
  Storage& storage() { return storage_; }

 private:
  test::TempDir dir_;
  DirectoryStorage storage_{dir_.path()};
};

class InMemory {
 public:
  Storage& storage() { return storage_; }

 private:
  test::MemoryStorage storage_;
};

// Of which no call fails.
class InFaulty {
 public:
  Storage& storage() { return storage_; }

 private:
  test::FaultyStorage storage_{std::make_shared<test::MemoryStorage>(),
                               std::make_shared<test::Faults>(0, test::When::kBefore)};
};

template <typename Kind>
class StorageContract : public ::testing::Test {
 protected:
  void put(const std::string& key, const std::string& bytes) { storage.put(key, as_bytes(bytes)); }
  std::optional<std::string> get(const std::string& key) { return storage.get(key, 1 << 20); }

  Kind kind;
  Storage& storage = kind.storage();
};

using Kinds = ::testing::Types<InDirectory, InMemory, InFaulty>;
TYPED_TEST_SUITE(StorageContract, Kinds);

TYPED_TEST(StorageContract, APlaceIsVacantUntilItIsARepositorys) {
  EXPECT_TRUE(this->storage.is_vacant());
  this->storage.make();  // as when the first one was cut short
  this->storage.complete();
  EXPECT_TRUE(this->storage.is_vacant());
  { const auto lock = this->storage.lock("test"); }
  EXPECT_TRUE(this->storage.is_vacant());
  this->put("config", "x");
  EXPECT_FALSE(this->storage.is_vacant());
  EXPECT_THROW(this->storage.make(), UsageError);
  this->storage.complete();
  EXPECT_EQ(this->get("config"), "x");
}

TYPED_TEST(StorageContract, APlaceWithDataIsNotVacant) {
  for (const char* key : {"packs/ab/abcd", "snapshots/1"}) {
    this->put(key, "x");
    EXPECT_FALSE(this->storage.is_vacant());
    const Keys going = {key};
    this->storage.remove(going);
  }
}

TYPED_TEST(StorageContract, WhatIsPutComesBackInPiecesAndWhole) {
  const auto object = this->storage.create("packs/ab/abcd");
  object->write(as_bytes("hello "));
  object->write(as_bytes("world"));
  EXPECT_FALSE(this->storage.has("packs/ab/abcd"));
  object->publish();
  EXPECT_TRUE(this->storage.has("packs/ab/abcd"));
  EXPECT_EQ(this->get("packs/ab/abcd"), "hello world");
  const auto open = this->storage.open("packs/ab/abcd");
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(open->size(), 11u);
  std::array<std::byte, 5> piece;
  open->read(6, piece);
  EXPECT_EQ(as_text(piece), "world");
  EXPECT_THROW(open->read(7, piece), CorruptError);
}

TYPED_TEST(StorageContract, AnEmptyObjectIsThere) {
  this->put("config", "");
  EXPECT_EQ(this->get("config"), "");
}

TYPED_TEST(StorageContract, ThatThereIsNoneIsAnAnswer) {
  EXPECT_EQ(this->storage.open("packs/ab/abcd"), nullptr);
  EXPECT_EQ(this->get("config"), std::nullopt);
  EXPECT_FALSE(this->storage.has("config"));
  EXPECT_EQ(this->storage.list("packs"), Keys());
  const Keys absent = {"config", "packs/ab/abcd"};
  this->storage.remove(absent);
  EXPECT_THROW(this->storage.open_existing("config"), IoError);
  EXPECT_THROW(this->storage.move("config", "other"), IoError);
}

TYPED_TEST(StorageContract, UnpublishedItWasNeverThere) {
  { this->storage.create("packs/ab/abcd")->write(as_bytes("half")); }
  EXPECT_EQ(this->storage.list("packs"), Keys());
  this->put("packs/ab/abcd", "whole");
  EXPECT_EQ(this->get("packs/ab/abcd"), "whole");
}

TYPED_TEST(StorageContract, OfTwoThatWantAKeyTheFirstHasIt) {
  const auto one = this->storage.create("snapshots/1");
  one->write(as_bytes("one"));
  one->publish();
  const auto other = this->storage.create("snapshots/1");
  other->write(as_bytes("other"));
  try {
    other->publish();
    FAIL() << "it took the place of an object";
  } catch (const IoError& error) {
    EXPECT_EQ(error.error_number(), EEXIST);
  }
  EXPECT_EQ(this->get("snapshots/1"), "one");
}

TYPED_TEST(StorageContract, ReplacingIsForThereAndNotThere) {
  for (const char* bytes : {"first", "second and longer", ""}) {
    this->storage.replace("config", as_bytes(bytes));
    EXPECT_EQ(this->get("config"), bytes);
  }
}

TYPED_TEST(StorageContract, AListHasAllBelowAFolderSortedAndNothingElse) {
  for (const char* key : {"packs/ff/ff02", "packs/00/0001", "packs/ff/ff01", "packs/stray",
                          "packsother", "snapshots/1", "quarantine/packs/0001"})
    this->put(key, "x");
  EXPECT_EQ(this->storage.list("packs"),
            Keys({"packs/00/0001", "packs/ff/ff01", "packs/ff/ff02", "packs/stray"}));
  EXPECT_EQ(this->storage.list("snapshots"), Keys({"snapshots/1"}));
  EXPECT_EQ(this->storage.list("quarantine/packs"), Keys({"quarantine/packs/0001"}));
}

TYPED_TEST(StorageContract, WhatIsRemovedIsGoneAndTheRestStays) {
  for (const char* key : {"packs/00/1", "packs/00/2", "packs/11/3"}) this->put(key, key);
  const Keys going = {"packs/00/1", "packs/11/3", "packs/22/never"};
  this->storage.remove(going);
  EXPECT_EQ(this->storage.list("packs"), Keys({"packs/00/2"}));
  EXPECT_EQ(this->get("packs/00/2"), "packs/00/2");
}

TYPED_TEST(StorageContract, WhatIsOpenIsReadOnWhenItGoes) {
  this->put("packs/00/1", "still here");
  const auto open = this->storage.open("packs/00/1");
  const Keys going = {"packs/00/1"};
  this->storage.remove(going);
  std::array<std::byte, 10> all;
  open->read(0, all);
  EXPECT_EQ(as_text(all), "still here");
}

TYPED_TEST(StorageContract, AMoveTakesThePlaceOfWhatIsThere) {
  this->put("packs/00/1", "damaged");
  this->put("quarantine/packs/1", "older");
  this->storage.move("packs/00/1", "quarantine/packs/1");
  EXPECT_FALSE(this->storage.has("packs/00/1"));
  EXPECT_EQ(this->get("quarantine/packs/1"), "damaged");
}

TYPED_TEST(StorageContract, OneThatIsTooLargeToTakeWholeIsNamed) {
  this->put("config", std::string(101, 'x'));
  EXPECT_THROW(this->storage.get("config", 100), CorruptError);
  EXPECT_EQ(this->storage.get("config", 101)->size(), 101u);
}

TYPED_TEST(StorageContract, AFoldersVersionIsNeverThatOfOtherObjects) {
  std::set<std::string> versions;
  size_t told = 0;
  const auto note = [&] {
    if (const auto version = this->storage.folder_version("amendments")) {
      versions.insert(*version);
      ++told;
    }
  };
  note();
  for (const char* key : {"amendments/1", "amendments/2"}) {
    this->put(key, "x");
    note();
  }
  EXPECT_EQ(versions.size(), told);
}

TYPED_TEST(StorageContract, OneWriterAtATime) {
  auto first = this->storage.lock("test");
  EXPECT_THROW(this->storage.lock("test"), BusyError);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(this->storage.lock({"test", std::chrono::seconds(60), stop.get_token()}), Cancelled);
  std::jthread ends([&] { first.reset(); });
  EXPECT_NO_THROW(this->storage.lock({"test", std::chrono::seconds(60), {}}));
}

class DirectoryStorageTest : public ::testing::Test {
 protected:
  DirectoryStorageTest() { storage_.make(); }
  test::TempDir dir_;
  DirectoryStorage storage_{dir_.path()};
};

TEST_F(DirectoryStorageTest, AKeyIsAPath) {
  storage_.put("packs/ab/abcd", as_bytes("x"));
  EXPECT_TRUE(stdfs::is_regular_file(dir_ / "packs/ab/abcd"));
  EXPECT_TRUE(stdfs::is_empty(dir_ / "tmp"));
  EXPECT_EQ(storage_.location("packs/ab/abcd"), (dir_ / "packs/ab/abcd").string());
}

TEST_F(DirectoryStorageTest, PacksMayLieOnAnotherDiskBehindALink) {
  stdfs::create_directories(dir_ / "elsewhere/ab");
  std::ofstream(dir_ / "elsewhere/ab/abcd") << "x";
  stdfs::remove(dir_ / "packs");
  stdfs::create_directory_symlink(dir_ / "elsewhere", dir_ / "packs");
  stdfs::create_symlink(dir_ / "elsewhere/ab/abcd", dir_ / "elsewhere/ab/linked");
  EXPECT_EQ(storage_.list("packs"), Keys({"packs/ab/abcd", "packs/ab/linked"}));
}

// What is behind such a link is not known to be absent.
TEST_F(DirectoryStorageTest, ALinkThatLeadsNowhereIsNoAnswer) {
  stdfs::remove(dir_ / "packs");
  stdfs::create_directory_symlink(dir_ / "unmounted", dir_ / "packs");
  EXPECT_THROW(storage_.list("packs"), IoError);
  stdfs::create_symlink(dir_ / "unmounted/1", dir_ / "snapshots/1");
  EXPECT_EQ(storage_.list("snapshots"), Keys({"snapshots/1"}));
  EXPECT_THROW(storage_.open("snapshots/1"), IoError);
}

TEST_F(DirectoryStorageTest, AFolderThatIsGoneIsNoEmptyOne) {
  stdfs::remove(dir_ / "snapshots");
  EXPECT_THROW(storage_.list("snapshots"), IoError);
  EXPECT_EQ(storage_.list("quarantine/packs"), Keys());
}

TEST_F(DirectoryStorageTest, WhatIsNoFileIsNoObject) {
  stdfs::create_directories(dir_ / "packs/ab/abcd");
  EXPECT_THROW(storage_.open("packs/ab/abcd"), CorruptError);
}

// So that a manifest or a pack is read from the one place where it is written.
TEST_F(DirectoryStorageTest, FoldersBelowAreNotWalked) {
  stdfs::create_directories(dir_ / "snapshots/old");
  std::ofstream(dir_ / "snapshots/old/1") << "x";
  stdfs::create_directories(dir_ / "packs/ab/cd");
  std::ofstream(dir_ / "packs/ab/cd/1") << "x";
  stdfs::create_directory_symlink(".", dir_ / "packs/loop");
  EXPECT_EQ(storage_.list("snapshots"), Keys({"snapshots/old"}));
  EXPECT_THROW(storage_.open("snapshots/old"), CorruptError);
  EXPECT_EQ(storage_.list("packs"), Keys({"packs/ab/cd", "packs/loop/ab", "packs/loop/loop"}));
}

// Two changes within the clock's grain may have one time.
TEST_F(DirectoryStorageTest, AVersionThatMayChangeUnseenIsNone) {
  storage_.put("snapshots/1", as_bytes("x"));
  EXPECT_EQ(storage_.folder_version("snapshots"), std::nullopt);
  const auto long_ago = stdfs::file_time_type::clock::now() - std::chrono::hours(1);
  stdfs::last_write_time(dir_ / "snapshots", long_ago);
  const auto version = storage_.folder_version("snapshots");
  EXPECT_NE(version, std::nullopt);
  storage_.put("snapshots/2", as_bytes("x"));
  EXPECT_NE(storage_.folder_version("snapshots"), version);
}

}  // namespace
}  // namespace tsmfs::index
