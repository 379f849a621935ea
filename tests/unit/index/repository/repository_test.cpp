#include "index/repository/repository.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "index/base/error.h"
#include "index/lookup/lookup_database.h"
#include "index/repository/rebuild.h"
#include "index/repository/repository_writer.h"
#include "index/storage/directory_storage.h"
#include "tests/support/repository_paths.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

namespace stdfs = std::filesystem;

class RepositoryTest : public ::testing::Test {
 protected:
  RepositoryTest() : root_(dir_ / "repo") { Repository::create({root_}); }

  std::unique_ptr<Repository> write() { return Repository::open_writer({root_, "test"}); }

  // Stores files through one writer and flushes.
  std::vector<StoredFile> store(const std::vector<ByteBuffer>& files, FileKind kind,
                                const Compression& compression = {}) {
    const auto repository = write();
    RepositoryWriter writer(*repository, {compression});
    std::vector<StoredFile> stored;
    for (const auto& file : files) stored.push_back(test::put(writer, file, kind));
    writer.flush();
    return stored;
  }

  std::vector<stdfs::path> packs() const { return test::pack_files(root_); }

  test::TempDir dir_;
  stdfs::path root_;
};

TEST_F(RepositoryTest, FilesComeBackFromAReader) {
  const std::vector<ByteBuffer> files = {test::make_tsm(2000, 1500, 1),
                                         test::random_bytes(3'000'000, 2), ByteBuffer(),
                                         test::random_bytes(1, 3), ByteBuffer(5'000'000)};
  for (const Compression& compression :
       {Compression{Compression::kNone, 0}, Compression{}, Compression::parse("fast")}) {
    const auto stored = store(files, FileKind::kTsm, compression);
    const auto reader = Repository::open_reader({root_});
    for (size_t i = 0; i < files.size(); ++i)
      EXPECT_EQ(test::read_all(*reader, stored[i].id), files[i]) << i;
  }
}

TEST_F(RepositoryTest, ReadsAnywhere) {
  const ByteBuffer file = test::make_tsm(1500, 1400, 4);
  const auto id = store({file}, FileKind::kTsm)[0].id;
  const auto repository = Repository::open_reader({root_});
  const FileReader reader = repository->objects().open_file(id);
  for (size_t offset = 0; offset < file.size() + 10; offset += 77'777) {
    for (const size_t length : {size_t{1}, size_t{4096}, size_t{200'000}}) {
      std::vector<Slice> slices;
      reader.read(offset, length, slices);
      ByteBuffer got;
      for (const Slice& slice : slices) append(got, slice.bytes);
      const size_t wanted = offset >= file.size() ? 0 : std::min(length, file.size() - offset);
      ASSERT_EQ(got.size(), wanted);
      EXPECT_TRUE(std::equal(got.begin(), got.end(),
                             file.begin() + static_cast<ptrdiff_t>(std::min(offset, file.size()))));
    }
  }
}

TEST_F(RepositoryTest, KnownFileCostsNothing) {
  const ByteBuffer file = test::make_tsm(500, 1000, 5);
  EXPECT_FALSE(store({file}, FileKind::kTsm)[0].already_known);
  const size_t before = packs().size();
  const auto again = store({file}, FileKind::kTsm)[0];
  EXPECT_TRUE(again.already_known);
  EXPECT_EQ(again.new_bytes, 0u);
  EXPECT_EQ(packs().size(), before);
}

TEST_F(RepositoryTest, SharedBlocksAreStoredOnceAcrossRuns) {
  std::vector<test::TsmBlock> blocks;
  for (uint64_t i = 0; i < 3000; ++i) blocks.push_back({i, 900});
  store({test::make_tsm(blocks)}, FileKind::kTsm);
  for (uint64_t i = 0; i < 50; ++i)
    blocks.insert(blocks.begin() + static_cast<ptrdiff_t>(i * 37), {100'000 + i, 900});
  const auto second = store({test::make_tsm(blocks)}, FileKind::kTsm)[0];
  EXPECT_GT(second.new_bytes, 50u * 900);
  EXPECT_LT(second.new_bytes, 50u * 904 + 300'000);  // and the index section
}

TEST_F(RepositoryTest, ManyPacksAndThreads) {
  std::vector<ByteBuffer> files;
  for (uint64_t i = 0; i < 6; ++i)
    files.push_back(test::make_tsm(16'000, 1400, 100 + i / 2));  // each twice; 134 MB
  {
    const auto repository = write();
    RepositoryWriter writer(*repository, {Compression::parse("none")});
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t)
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < files.size(); ++i)
          test::put(writer, files[(i + static_cast<size_t>(t) * 3) % files.size()], FileKind::kTsm);
      });
    threads.clear();
    writer.flush();
    EXPECT_LT(writer.totals().new_chunk_bytes, 80'000'000u);
  }
  EXPECT_GE(packs().size(), 2u);
  const auto repository = Repository::open_reader({root_});
  for (const ByteBuffer& file : files)
    EXPECT_TRUE(test::read_all(*repository, repository->key().digest<FileId>(file)) == file);
}

TEST_F(RepositoryTest, UnflushedWriterLeavesASoundRepository) {
  const ByteBuffer file = test::make_tsm(500, 1000, 6);
  {
    const auto repository = write();
    RepositoryWriter writer(*repository, {});
    test::put(writer, file, FileKind::kTsm);
  }
  EXPECT_TRUE(packs().empty());
  EXPECT_FALSE(store({file}, FileKind::kTsm)[0].already_known);
}

TEST_F(RepositoryTest, LostIndexIsRebuiltByTheWriterAndNamedByTheReader) {
  const ByteBuffer file = test::make_tsm(500, 1000, 7);
  const auto id = store({file}, FileKind::kTsm)[0].id;
  stdfs::remove_all(root_ / "index");
  try {
    Repository::open_reader({root_});
    FAIL() << "opened without an index";
  } catch (const CorruptError& error) {
    EXPECT_NE(error.advice().find("rebuild-index"), std::string::npos);
  }
  EXPECT_TRUE(store({file}, FileKind::kTsm)[0].already_known);
  EXPECT_EQ(test::read_all(*Repository::open_reader({root_}), id), file);
}

TEST_F(RepositoryTest, PackThatWasNotIndexedIsTakenUp) {
  store({test::make_tsm(100, 1000, 8)}, FileKind::kTsm);
  stdfs::copy(root_ / "index", root_ / "index.old", stdfs::copy_options::recursive);
  const ByteBuffer file = test::make_tsm(100, 1000, 9);
  store({file}, FileKind::kTsm);
  stdfs::remove_all(root_ / "index");
  stdfs::rename(root_ / "index.old", root_ / "index");
  EXPECT_TRUE(store({file}, FileKind::kTsm)[0].already_known);
}

TEST(LookupDatabase, ACallThatFailedInASearchForDamageIsNotDamage) {
  const auto corruption = [](const char* what) {
    check_status(rocksdb::Status::Corruption(what), "cannot open the index");
  };
  EXPECT_THROW(corruption("Can't list files in /index: IO error: While readdir: /index: "
                          "Input/output error"),
               IoError);
  EXPECT_THROW(
      corruption("Can't access /1.sst: IO error: While stat a file for size: /index/1.sst: "
                 "Permission denied"),
      IoError);
  EXPECT_THROW(corruption("Can't access /1.sst: IO error: No such file or directory: While stat a "
                          "file for size: /index/1.sst: No such file or directory"),
               CorruptError);
  EXPECT_THROW(corruption("block checksum mismatch"), CorruptError);
  for (const char* what : {"Direct I/O is not supported by the specified DB.",
                           "Found options incompatible with filesystem: IO error: While open a "
                           "file for random read: /index/CURRENT: Permission denied"})
    EXPECT_THROW(check_status(rocksdb::Status::InvalidArgument(what), "cannot open"), IoError);
  EXPECT_THROW(check_status(rocksdb::Status::InvalidArgument("/index/CURRENT: does not exist"), ""),
               CorruptError);
}

TEST_F(RepositoryTest, AnIndexOrAPackThatCannotBeReachedIsNotDamaged) {
  const ByteBuffer file = test::random_bytes(100'000, 1);
  const auto stored = store({file}, FileKind::kOther);
  std::vector<stdfs::path> files = packs();
  for (const auto& entry : stdfs::directory_iterator(root_ / "index"))
    if (entry.path().extension() == ".sst") files.push_back(entry.path());
  ASSERT_GE(files.size(), 2u);
  for (const stdfs::path& path : files) {
    const auto aside = dir_ / "aside";
    stdfs::rename(path, aside);
    stdfs::create_symlink(path, path);
    if (path.extension() == ".sst")
      EXPECT_THROW(write(), IoError) << path;
    else
      EXPECT_THROW(Repository::rebuild_lookup({root_, "test"}), IoError) << path;
    stdfs::rename(aside, path);
    EXPECT_EQ(test::read_all(*Repository::open_reader({root_}), stored[0].id), file) << path;
  }
}

TEST_F(RepositoryTest, LostPackIsStoredAgain) {
  const ByteBuffer file = test::make_tsm(500, 1000, 10);
  const auto id = store({file}, FileKind::kTsm)[0].id;
  for (const auto& pack : packs()) stdfs::remove(pack);
  EXPECT_FALSE(store({file}, FileKind::kTsm)[0].already_known);
  EXPECT_EQ(test::read_all(*Repository::open_reader({root_}), id), file);
}

TEST_F(RepositoryTest, DefectIsRememberedWithTheFile) {
  ByteBuffer file = test::make_tsm(500, 1000, 11);
  file[700] ^= std::byte{1};
  EXPECT_NE(store({file}, FileKind::kTsm)[0].tsm_defect, "");
  const auto again = store({file}, FileKind::kTsm)[0];
  EXPECT_TRUE(again.already_known);
  EXPECT_NE(again.tsm_defect, "");
  stdfs::remove_all(root_ / "index");
  EXPECT_NE(store({file}, FileKind::kTsm)[0].tsm_defect, "");
}

TEST_F(RepositoryTest, DirectoriesAreTheOwnersOnly) {
  Repository::rebuild_lookup({root_, "test"});
  const auto rights = [](const stdfs::path& path) { return stdfs::status(path).permissions(); };
  EXPECT_EQ(rights(root_), stdfs::perms::owner_all);
  for (const auto& entry : stdfs::directory_iterator(root_))
    EXPECT_TRUE(!entry.is_directory() || rights(entry.path()) == stdfs::perms::owner_all) << entry;
  EXPECT_EQ(rights(root_ / "config"), stdfs::perms::owner_read | stdfs::perms::owner_write);
}

TEST_F(RepositoryTest, SecondWriterIsToldWhoHoldsTheLock) {
  const auto first = write();
  try {
    write();
    FAIL() << "two writers";
  } catch (const BusyError& error) {
    EXPECT_NE(std::string(error.what()).find("tsmfs test (process"), std::string::npos)
        << error.what();
  }
}

TEST_F(RepositoryTest, WriterThatWaitsGoesOnWhenTheOtherEnds) {
  auto first = write();
  std::jthread ends([&] { first.reset(); });
  EXPECT_NO_THROW(Repository::open_writer({root_, {"test", std::chrono::seconds(60), {}}}));
}

TEST_F(RepositoryTest, OneThatIsJustBeingMadeIsWaitedForToo) {
  const auto root = dir_ / "young";
  const test::RepositoryPaths paths(root);
  for (const auto& part : {root, paths.packs(), paths.snapshots(), paths.locks(), paths.tmp()})
    stdfs::create_directory(part);
  auto other = DirectoryStorage(root).lock("test");
  EXPECT_THROW(Repository::create({root}), BusyError);
  std::jthread ends([&] { other.reset(); });
  EXPECT_TRUE(Repository::create({root, {"test", std::chrono::seconds(60), {}}}));
  EXPECT_NO_THROW(Repository::open_reader({root}));
}

TEST_F(RepositoryTest, WriterThatWaitsStopsWhenItIsTold) {
  const auto first = write();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(
      Repository::open_writer({root_, {"test", std::chrono::seconds(60), stop.get_token()}}),
      Cancelled);
}

TEST_F(RepositoryTest, OfManyWritersOneAtATimeIsIn) {
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::jthread> writers;
  for (int i = 0; i < 4; ++i)
    writers.emplace_back([&] {
      const auto repository =
          Repository::open_writer({root_, {"test", std::chrono::seconds(60), {}}});
      most = std::max<int>(most, ++inside);
      std::this_thread::yield();
      --inside;
    });
  writers.clear();
  EXPECT_EQ(most, 1);
}

TEST_F(RepositoryTest, ReaderSeesWhatAWriterAdds) {
  const auto reader = Repository::open_reader({root_});
  const ByteBuffer file = test::make_tsm(100, 1000, 12);
  const auto writer_side = write();
  RepositoryWriter writer(*writer_side, {});
  const auto id = test::put(writer, file, FileKind::kTsm).id;
  writer.flush();
  reader->lookup().catch_up();
  EXPECT_EQ(test::read_all(*reader, id), file);
}

// The index is gone by now, too; the person who reads needs to know what was wanted.
TEST_F(RepositoryTest, ErrorOfCatchingUpHidesNoOther) {
  const auto reader = Repository::open_reader({root_});
  stdfs::remove_all(root_ / "index");
  FileId unknown{};
  try {
    reader->objects().read_recipe(unknown);
    FAIL() << "read what is not there";
  } catch (const CorruptError& error) {
    EXPECT_NE(std::string(error.what()).find(unknown.hex()), std::string::npos) << error.what();
  }
}

TEST_F(RepositoryTest, LostPackIsNamedAlsoWhereTheIndexIsLost) {
  std::vector<test::TsmBlock> blocks;
  for (uint64_t i = 0; i < 3000; ++i) blocks.push_back({i, 900});
  store({test::make_tsm(blocks)}, FileKind::kTsm);
  const auto lost = packs().at(0);
  blocks.push_back({3000, 900});
  const auto id = store({test::make_tsm(blocks)}, FileKind::kTsm)[0].id;
  const auto repository = Repository::open_reader({root_});
  const FileReader reader = repository->objects().open_file(id);
  stdfs::remove(lost);
  stdfs::remove_all(root_ / "index");
  std::vector<Slice> slices;
  try {
    reader.read(0, reader.size(), slices);
    FAIL() << "read what is lost";
  } catch (const MissingError& error) {
    EXPECT_NE(std::string(error.what()).find(lost.filename().string()), std::string::npos)
        << error.what();
  }
}

// Whoever has just taken the lock empties its text and writes a new one.
TEST_F(RepositoryTest, TextOfTheLockMayBeAnythingAtAnyTime) {
  const auto first = write();
  const test::RepositoryPaths paths(root_);
  for (const std::string& text :
       {std::string(), std::string("tsmfs ba"), std::string(100'000, 'x')}) {
    std::ofstream(paths.writer_lock()) << text;
    try {
      write();
      FAIL() << "two writers";
    } catch (const BusyError& error) {
      const std::string wanted = text.empty() ? "another process" : text.substr(0, 8);
      EXPECT_NE(std::string(error.what()).find("in use by " + wanted), std::string::npos);
    }
  }
  std::atomic<bool> done = false;
  std::jthread holder([&] {
    while (!done) std::ofstream(paths.writer_lock()) << std::string(4096, 'x');
  });
  for (int i = 0; i < 500; ++i) EXPECT_THROW(write(), BusyError);
  done = true;
}

TEST_F(RepositoryTest, RefusesADirectoryOfOthers) {
  const auto other = dir_ / "other";
  stdfs::create_directory(other);
  std::ofstream(other / "precious") << "data";
  EXPECT_THROW(Repository::create({other}), UsageError);
  EXPECT_THROW(Repository::open_reader({other}), NoRepositoryError);
  EXPECT_EQ(std::distance(stdfs::directory_iterator(other), {}), 1);
}

// The config as a program of another version would have written it.
class OtherFormatTest : public RepositoryTest {
 protected:
  void change_config(const std::string& from, const std::string& to) {
    std::ifstream in(root_ / "config");
    const std::string config(std::istreambuf_iterator<char>(in), {});
    std::string body = config.substr(config.find('\n') + 1);
    const size_t at = body.find(from);
    ASSERT_NE(at, std::string::npos) << body;
    body.replace(at, from.size(), to);
    std::ofstream(root_ / "config")
        << fmt::format("tsmfs config {:016x}\n", checksum(as_bytes(body), 0)) << body;
  }
  uint32_t format() { return Repository::open_reader({root_})->config().format; }
};

TEST_F(OtherFormatTest, RefusesANewerFormat) {
  for (const char* other : {"\"format\": 3", "\"format\": 0"}) {
    change_config("\"format\": 2", other);
    EXPECT_THROW(Repository::open_reader({root_}), UsageError);
    EXPECT_THROW(Repository::open_writer({root_, "test"}), UsageError);
    change_config(other, "\"format\": 2");
  }
}

TEST_F(OtherFormatTest, AnUnknownFeatureThatIsRequiredKeepsAllOut) {
  change_config("\"mixed-frames\"", "\"mixed-frames\", \"derived-frames\"");
  EXPECT_THROW(Repository::open_reader({root_}), UsageError);
  EXPECT_THROW(Repository::open_writer({root_, "test"}), UsageError);
}

TEST_F(OtherFormatTest, AnUnknownFeatureThatIsOptionalKeepsWritersOut) {
  change_config("\"optional\": []", "\"optional\": [\"hints\"]");
  EXPECT_NO_THROW(Repository::open_reader({root_}));
  EXPECT_THROW(Repository::open_writer({root_, "test"}), UsageError);
  EXPECT_THROW(Repository::rebuild_lookup({root_, "test"}), UsageError);
}

TEST_F(OtherFormatTest, AnOlderFormatBecomesTodaysWithTheNextChange) {
  change_config("\"format\": 2", "\"format\": 1");
  EXPECT_EQ(format(), 1u);
  const DigestKey::Secret secret = Repository::open_reader({root_})->key().secret();
  Repository::open_writer({root_, "test", Changes::kNone});
  EXPECT_EQ(format(), 1u);
  Repository::open_writer({root_, "test"});
  EXPECT_EQ(format(), 2u);
  EXPECT_EQ(Repository::open_reader({root_})->key().secret(), secret);
}

TEST_F(RepositoryTest, EveryFlippedByteOfTheConfigIsDetected) {
  std::ifstream in(root_ / "config");
  const std::string config(std::istreambuf_iterator<char>(in), {});
  for (size_t i = 0; i < config.size(); ++i) {
    std::string damaged = config;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_THROW(decode_config(damaged, "config"), CorruptError) << i;
  }
}

}  // namespace
}  // namespace tsmfs::index
