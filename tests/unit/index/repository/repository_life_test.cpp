// A repository that was not made whole, lost its config, or lost a part of its index.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "index/base/error.h"
#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "tests/support/repository_paths.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

namespace stdfs = std::filesystem;

class RepositoryLifeTest : public ::testing::Test {
 protected:
  FileId store(const ByteBuffer& file) {
    const auto repository = Repository::open_writer({root_, "test"});
    RepositoryWriter writer(*repository, {});
    const auto stored = test::put(writer, file, FileKind::kTsm);
    writer.flush();
    return stored.id;
  }
  bool knows(const ByteBuffer& file) {
    const auto repository = Repository::open_writer({root_, "test"});
    RepositoryWriter writer(*repository, {});
    return test::put(writer, file, FileKind::kTsm).already_known;
  }
  void touch(const stdfs::path& path, const std::string& content = {}) const {
    stdfs::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  std::vector<stdfs::path> packs() const { return test::pack_files(root_); }

  test::TempDir dir_;
  stdfs::path root_ = dir_ / "repo";
};

TEST_F(RepositoryLifeTest, CreationIsCompletedFromAnyStep) {
  Repository::create({dir_ / "whole"});
  std::vector<stdfs::path> index_files;
  for (const auto& entry : stdfs::directory_iterator(dir_ / "whole" / "index"))
    index_files.push_back(entry.path());
  std::vector<std::function<void()>> steps = {
      [&] { stdfs::create_directory(root_); },
      [&] { stdfs::create_directory(root_ / "packs"); },
      [&] { stdfs::create_directory(root_ / "snapshots"); },
      [&] { stdfs::create_directory(root_ / "locks"); },
      [&] { stdfs::create_directory(root_ / "tmp"); },
      [&] { touch(root_ / "locks" / "writer"); },
      [&] { touch(root_ / "locks" / "writer", "tsmfs back"); },
      [&] { stdfs::create_directory(root_ / "index"); }};
  for (const auto& file : index_files)
    steps.emplace_back([&, file] { stdfs::copy_file(file, root_ / "index" / file.filename()); });
  steps.emplace_back([&] { touch(root_ / "tmp" / "config"); });
  steps.emplace_back([&] { touch(root_ / "tmp" / "config", "tsmfs config"); });
  const ByteBuffer file = test::make_tsm(20, 500, 1);
  for (size_t killed_after = 0; killed_after <= steps.size(); ++killed_after) {
    stdfs::remove_all(root_);
    for (size_t i = 0; i < killed_after; ++i) steps[i]();
    ASSERT_TRUE(Repository::is_vacant(root_)) << killed_after;
    if (killed_after > 0) {
      EXPECT_THROW(Repository::open_reader({root_}), NoRepositoryError);
    }
    Repository::create({root_});
    ASSERT_FALSE(Repository::is_vacant(root_));
    const auto id = store(file);
    EXPECT_EQ(test::read_all(*Repository::open_reader({root_}), id), file) << killed_after;
  }
}

TEST_F(RepositoryLifeTest, CreationTakesNothingOver) {
  const std::vector<std::function<void()>> others = {
      [&] { touch(root_ / "precious"); },
      [&] { touch(root_ / "tmp" / "precious"); },
      [&] { touch(root_ / "tmp" / "config" / "precious"); },
      [&] { touch(root_ / "locks" / "precious"); },
      [&] { touch(root_ / "packs" / "precious"); },
      [&] { touch(root_ / "snapshots" / "precious"); },
      [&] { touch(root_ / "index" / "CURRENT"); },  // of a database that is not ours
      [&] { touch(root_ / "index" / "index.html"); },
      [&] {
        for (const char* part : {"packs", "snapshots", "tmp"})
          stdfs::create_directories(root_ / part);
        touch(root_ / "locks" / "writer", "tsmfs test");
        touch(root_ / "index" / "precious");
      },
      [&] {
        for (const char* part : {"packs", "snapshots", "tmp", "index"})
          stdfs::create_directories(root_ / part);
        touch(root_ / "locks" / "writer", "somebody else's");
      }};
  for (size_t i = 0; i < others.size(); ++i) {
    stdfs::remove_all(root_);
    others[i]();
    const auto count = std::distance(stdfs::recursive_directory_iterator(root_), {});
    EXPECT_FALSE(Repository::is_vacant(root_)) << i;
    EXPECT_THROW(Repository::create({root_}), UsageError) << i;
    EXPECT_THROW(Repository::open_writer({root_, "test"}), NoRepositoryError) << i;
    EXPECT_EQ(std::distance(stdfs::recursive_directory_iterator(root_), {}), count) << i;
  }
}

TEST_F(RepositoryLifeTest, ParentDirectoriesAreMade) {
  Repository::create({dir_ / "a" / "b" / "c"});
  EXPECT_TRUE(Repository::open_reader({dir_ / "a" / "b" / "c"}));
}

TEST_F(RepositoryLifeTest, LostConfigIsNamedAndNoNewOneMade) {
  Repository::create({root_});
  store(test::make_tsm(20, 500, 1));
  stdfs::remove(root_ / "config");
  EXPECT_FALSE(Repository::is_vacant(root_));
  EXPECT_THROW(Repository::create({root_}), UsageError);
  try {
    Repository::open_writer({root_, "test"});
    FAIL() << "opened without a config";
  } catch (const NoRepositoryError& error) {
    EXPECT_NE(std::string(error.what()).find("config is gone"), std::string::npos) << error.what();
    EXPECT_NE(error.advice().find("put config back"), std::string::npos);
  }
  EXPECT_FALSE(stdfs::exists(root_ / "config"));
}

class DamagedIndexTest : public RepositoryLifeTest {
 protected:
  DamagedIndexTest() {
    Repository::create({root_});
    store(files_[0]);
    // As a writer that is killed leaves it: what was stored last is in RocksDB's log alone.
    const auto repository = Repository::open_writer({root_, "test"});
    RepositoryWriter writer(*repository, {});
    test::put(writer, files_[1], FileKind::kTsm);
    writer.flush();
    stdfs::copy(root_ / "index", dir_ / "index", stdfs::copy_options::recursive);
    for (const auto& entry : stdfs::directory_iterator(dir_ / "index"))
      names_.push_back(entry.path().filename().string());
    std::ranges::sort(names_);
  }
  // The index as the killed writer left it, with these of its files damaged.
  void damage(const std::vector<std::string>& names, bool truncate) {
    stdfs::remove_all(root_ / "index");
    stdfs::copy(dir_ / "index", root_ / "index", stdfs::copy_options::recursive);
    for (const auto& name : names) {
      if (truncate)
        stdfs::resize_file(root_ / "index" / name, 0);
      else
        stdfs::remove(root_ / "index" / name);
    }
  }
  void expect_healed_by_the_writer(const std::string& what) {
    try {
      const auto reader = Repository::open_reader({root_});
      for (const auto& file : files_) test::read_all(*reader, reader->key().digest<FileId>(file));
    } catch (const CorruptError& error) {
      EXPECT_NE(error.advice().find("rebuild-index"), std::string::npos)
          << what << ": " << error.what();
    }
    for (const auto& file : files_) EXPECT_TRUE(knows(file)) << what;
    const auto reader = Repository::open_reader({root_});
    for (const auto& file : files_)
      EXPECT_EQ(test::read_all(*reader, reader->key().digest<FileId>(file)), file) << what;
  }

  const std::vector<ByteBuffer> files_ = {test::make_tsm(50, 500, 1), test::make_tsm(50, 500, 2)};
  std::vector<std::string> names_;
};

TEST_F(DamagedIndexTest, AnyFileThatIsLostOrEmptyHeals) {
  ASSERT_TRUE(std::ranges::any_of(names_, [](auto& name) { return name.ends_with(".sst"); }));
  ASSERT_TRUE(std::ranges::any_of(names_, [](auto& name) { return name.ends_with(".log"); }));
  for (const std::string& name : names_)
    for (const bool truncate : {false, true}) {
      damage({name}, truncate);
      expect_healed_by_the_writer(name + (truncate ? " empty" : " lost"));
    }
}

TEST_F(DamagedIndexTest, AnyTwoFilesOfDifferentKindsThatAreLostHeal) {
  const auto kind = [](const std::string& name) {
    return name.ends_with(".sst") ? std::string(".sst") : name.substr(0, name.find('-'));
  };
  std::vector<std::string> kinds;
  for (size_t i = 0; i < names_.size(); ++i)
    for (size_t k = i + 1; k < names_.size(); ++k) {
      const std::string both = kind(names_[i]) + " " + kind(names_[k]);
      if (kind(names_[i]) == kind(names_[k]) || std::ranges::count(kinds, both) > 0) continue;
      kinds.push_back(both);
      damage({names_[i], names_[k]}, /*truncate=*/k % 2 == 0);
      expect_healed_by_the_writer(names_[i] + " and " + names_[k]);
    }
}

TEST_F(DamagedIndexTest, AllFilesLostHeal) {
  damage(names_, /*truncate=*/false);
  expect_healed_by_the_writer("all lost");
  damage(names_, /*truncate=*/true);
  expect_healed_by_the_writer("all empty");
}

// An inode comes again where a directory was removed: here the directory is even the same one.
TEST_F(DamagedIndexTest, ReaderSeesAnIndexThatTookThePlaceOfItsOwn) {
  damage({}, false);
  const ByteBuffer late = test::make_tsm(50, 500, 3);
  const auto reader = Repository::open_reader({root_});
  const auto id = store(late);
  stdfs::copy(root_, dir_ / "copy", stdfs::copy_options::recursive);
  Repository::rebuild_lookup({dir_ / "copy", "test"});
  for (const auto& entry : stdfs::directory_iterator(root_ / "index")) stdfs::remove(entry.path());
  for (const auto& entry : stdfs::directory_iterator(dir_ / "copy" / "index"))
    stdfs::copy_file(entry.path(), root_ / "index" / entry.path().filename());
  reader->lookup().catch_up();
  EXPECT_EQ(test::read_all(*reader, id), late);
}

class PackSequenceTest : public RepositoryLifeTest {
 protected:
  PackSequenceTest() {
    Repository::create({root_});
    store(test::make_tsm(50, 500, 1));
    const auto before = packs();
    store(test::make_tsm(50, 500, 2));
    for (const auto& pack : packs())
      if (std::ranges::count(before, pack) == 0) newest_ = pack;
  }
  uint64_t next() { return Repository::open_writer({root_, "test"})->next_pack_sequence(); }
  static void flip_last_byte(const stdfs::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-1, std::ios::end);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(-1, std::ios::end);
    file.put(byte);
  }
  stdfs::path newest_;
};

TEST_F(PackSequenceTest, IsNotGivenTwiceAfterTheNewestPackWasLeftOut) {
  EXPECT_EQ(next(), 3u);
  flip_last_byte(newest_);
  stdfs::remove_all(root_ / "index");
  EXPECT_EQ(next(), 3u);
  const ByteBuffer file = test::make_tsm(50, 500, 3);
  store(file);
  flip_last_byte(newest_);  // healed, say by a copy
  stdfs::remove_all(root_ / "index");
  for (uint64_t seed = 1; seed <= 3; ++seed) EXPECT_TRUE(knows(test::make_tsm(50, 500, seed)));
}

TEST_F(PackSequenceTest, IsAboveThatOfAQuarantinedPack) {
  const test::RepositoryPaths paths(root_);
  stdfs::create_directories(paths.quarantined_packs());
  stdfs::rename(newest_, paths.quarantined_packs() / newest_.filename());
  EXPECT_EQ(next(), 3u);
}

// Two copies of a repository that both were written to, and then mixed.
TEST_F(PackSequenceTest, PacksOfOneSequenceAreBothIndexed) {
  stdfs::copy(root_, dir_ / "copy", stdfs::copy_options::recursive);
  const auto here = std::exchange(root_, dir_ / "copy");
  store(test::make_tsm(50, 500, 3));
  const auto theirs = packs();
  const auto there = std::exchange(root_, here);
  store(test::make_tsm(50, 500, 4));
  for (const auto& pack : theirs) {
    const auto place = root_ / stdfs::relative(pack, there);
    stdfs::create_directories(place.parent_path());
    stdfs::copy_file(pack, place, stdfs::copy_options::skip_existing);
  }
  for (int round = 0; round < 2; ++round) {
    for (uint64_t seed = 1; seed <= 4; ++seed)
      EXPECT_TRUE(knows(test::make_tsm(50, 500, seed))) << round << " " << seed;
    size_t indexed = 0;
    Repository::open_reader({root_})->lookup().for_each_pack([&](auto&&...) { ++indexed; });
    EXPECT_EQ(indexed, 4u);
    stdfs::remove_all(root_ / "index");
  }
}

}  // namespace
}  // namespace tsmfs::index
