#include "snapshot/restorer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <map>

#include "index/base/error.h"
#include "index/base/file.h"
#include "snapshot/restore_writer.h"
#include "snapshot/snapshot_builder.h"
#include "tests/support/protobuf.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

using support::protobuf::bytes;
using support::protobuf::number;

// A metastore with one database of one policy, "autogen"; shard N has the Nth hour.
std::string metastore(const std::string& database, const std::vector<uint64_t>& shards) {
  std::string groups;
  for (const uint64_t id : shards)
    groups += bytes(5, number(1, id) + number(2, id * 3600) + number(3, id * 3600 + 3600) +
                           bytes(5, number(1, id)));
  return number(1, 0) + number(2, 3) + number(3, 4) +
         bytes(5, bytes(1, database) + bytes(2, "autogen") +
                      bytes(3, bytes(1, "autogen") + number(2, 0) + groups)) +
         number(8, 20) + number(9, 20);
}

// {path: content} of everything below a directory; directories have the content "/".
std::map<std::string, std::string> contents(const stdfs::path& root) {
  std::map<std::string, std::string> found;
  for (const auto& entry : stdfs::recursive_directory_iterator(root)) {
    const std::string name = stdfs::relative(entry.path(), root).string();
    found[name] = entry.is_directory() ? "/" : read_whole_file(entry.path(), 1 << 30);
  }
  return found;
}

void write_file(const stdfs::path& path, const std::string& content) {
  stdfs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

// A repository with a snapshot of shards 2 and 10 of database "db", and a target beside it.
class RestorerTest : public ::testing::Test {
 protected:
  RestorerTest() {
    stdfs::create_directory(datadir_);
    stdfs::create_directory(metadir_);
    index::Repository::create(dir_ / "repo");
    repository_ = index::Repository::open_writer(dir_ / "repo", "test");
    tsm_ = test::make_tsm(1000, 1500, 1);
    small_ = test::make_tsm(3, 100, 2);
    request_.metadir = metadir_;
    request_.datadir = datadir_;
    publish([](SnapshotBuilder&) {});
  }

  // Makes the request's snapshot.
  void publish(const std::function<void(SnapshotBuilder&)>& change,
               const std::string& tombstone = "gone",
               const std::string& meta_db = metastore("db", {2, 10})) {
    index::RepositoryWriter writer(*repository_, {});
    Catalog catalog(repository_->paths());
    Manifest manifest;
    manifest.time = now();
    manifest.server = "db1";
    manifest.dialect = "influxd 1.5+";
    SnapshotBuilder builder(*repository_, writer, catalog, std::move(manifest));
    const auto store = [&](const std::string& name, ByteView content) {
      index::MemorySource source(content);
      const auto id = writer.digest_key().digest<index::FileId>(content);
      const auto stored = writer.put_file(source, id, index::FileKind::kTsm, {});
      return TreeEntry{*Name::parse(name),
                       EntryKind::kFile,
                       0644,
                       {1'454'349'756'000'000'007},
                       stored.size,
                       0,
                       id};
    };
    builder.add_shard({"db", "autogen", 2},
                      {store("000000001-000000001.tsm", tsm_),
                       store("000000001-000000001.tombstone", as_bytes(tombstone))},
                      0);
    builder.add_shard({"db", "autogen", 10}, {store("000000002-000000001.tsm", small_)}, 0);
    builder.add_meta_file("meta.db", as_bytes(meta_db));
    change(builder);
    request_.snapshot = builder.publish();
  }

  RestorePlan run(const RestoreOptions& options = {}, std::stop_token stop = {}) {
    RestorePlan plan = plan_restore(*repository_, request_);
    check_target(plan, request_);
    restore(*repository_, plan, request_, options, std::move(stop));
    return plan;
  }
  // What run() says when it refuses; the target must be what it was.
  template <typename Kind>
  std::string refusal() {
    const auto before = contents(dir_ / "target");
    std::string said = "nothing";
    try {
      run();
    } catch (const Kind& error) {
      said = std::string(error.what()) + "; " + error.advice();
    }
    EXPECT_EQ(contents(dir_ / "target"), before) << "something was changed";
    return said;
  }
  void expect_shard_2(const std::string& path = "db/autogen/2") const {
    const auto found = contents(datadir_ / path);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found.at("000000001-000000001.tsm"), as_text(tsm_));
    EXPECT_EQ(found.at("000000001-000000001.tombstone"), "gone");
  }
  std::string meta_db() const { return read_whole_file(metadir_ / "meta.db", 1 << 20); }

  test::TempDir dir_;
  stdfs::path datadir_ = (stdfs::create_directory(dir_ / "target"), dir_ / "target" / "data");
  stdfs::path metadir_ = dir_ / "target" / "meta";
  ByteBuffer tsm_, small_;
  std::unique_ptr<index::Repository> repository_;
  RestoreRequest request_;
};

TEST_F(RestorerTest, WritesDataAndMetastore) {
  const RestorePlan plan = run();
  EXPECT_TRUE(plan.warnings.empty());
  EXPECT_EQ(plan.files, 3u);
  expect_shard_2();
  EXPECT_EQ(contents(datadir_ / "db/autogen/10").size(), 1u);
  EXPECT_EQ(meta_db(), metastore("db", {2, 10}));
  struct stat status {};
  ::stat((datadir_ / "db/autogen/2/000000001-000000001.tsm").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'454'349'756);
  EXPECT_EQ(status.st_mtim.tv_nsec, 7);
  ::stat((datadir_ / "db/autogen/2").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0755u);
  EXPECT_EQ(contents(datadir_).size(), 2u + 2u + 3u) << "nothing else";
}

TEST_F(RestorerTest, MakesDirectoriesThatAreMissing) {
  stdfs::remove(datadir_);
  stdfs::remove(metadir_);
  run();
  expect_shard_2();
  EXPECT_EQ(meta_db(), metastore("db", {2, 10}));
}

TEST_F(RestorerTest, OnlyTheMetastoreOrOnlyTheData) {
  request_.datadir.clear();
  run();
  EXPECT_TRUE(stdfs::is_empty(datadir_));
  EXPECT_EQ(meta_db(), metastore("db", {2, 10}));
  stdfs::remove(metadir_ / "meta.db");
  request_.datadir = datadir_;
  request_.metadir.clear();
  run();
  expect_shard_2();
  EXPECT_TRUE(stdfs::is_empty(metadir_));
}

// As an attacker would make it: what is stored of a deleted shard would go where a live one of its
// number is.
TEST_F(RestorerTest, ADeletedShardDoesNotGoWhereALiveOneOfItsNumberIs) {
  const auto group = [](uint64_t id, uint64_t shard_id, uint64_t deleted) {
    return bytes(5, number(1, id) + number(2, 3600) + number(3, 7200) + number(4, deleted) +
                        bytes(5, number(1, shard_id)));
  };
  const auto database = [&](const std::string& name, const std::string& groups) {
    return bytes(5, bytes(1, name) + bytes(3, bytes(1, "autogen") + groups));
  };
  for (const std::string name : {"../../escape", "/escape", "other"}) {
    publish([](SnapshotBuilder&) {}, "gone",
            number(2, 3) + number(3, 4) + database("db", group(1, 2, 99) + group(2, 10, 0)) +
                database(name, group(3, 2, 0)));
    if (name != "other") {
      EXPECT_NE(refusal<CorruptError>().find("which no directory can have"), std::string::npos);
      continue;
    }
    const RestorePlan plan = plan_restore(*repository_, request_);
    ASSERT_EQ(plan.shards.size(), 1u);
    EXPECT_EQ(plan.shards[0].to, (ShardPath{"db", "autogen", 10}));
    EXPECT_NE(plan.warnings.at(0).find("db/autogen/2 is left out"), std::string::npos);
  }
}

TEST_F(RestorerTest, WithoutMetadirItSaysWhatTheServerHasDeleted) {
  const std::string group = bytes(5, number(1, 1) + number(2, 7200) + number(3, 10800) +
                                         number(4, 99) + bytes(5, number(1, 2)));
  write_file(metadir_ / "meta.db",
             number(2, 3) + number(3, 4) +
                 bytes(5, bytes(1, "db") + bytes(3, bytes(1, "autogen") + group)));
  request_.metadir.clear();
  const RestorePlan plan = plan_restore(*repository_, request_);
  ASSERT_EQ(plan.warnings.size(), 2u);
  EXPECT_NE(plan.warnings[0].find("db/autogen/2 was deleted on the server"), std::string::npos);
  EXPECT_NE(plan.warnings[1].find("db/autogen/10 is not in"), std::string::npos);
}

TEST_F(RestorerTest, RenumbersAndRenamesIntoAServerOfOthers) {
  write_file(metadir_ / "meta.db", metastore("other", {2, 10}));
  write_file(datadir_ / "other/autogen/2/x.tsm", "theirs");
  request_.choice.filter.databases = {"db"};
  request_.choice.new_database = "copy";
  run();
  expect_shard_2("copy/autogen/21");
  EXPECT_EQ(contents(datadir_ / "other/autogen/2").at("x.tsm"), "theirs");
  const Metastore meta = Metastore::parse(as_bytes(meta_db()), "result");
  EXPECT_EQ(meta.find_shard(21)->database->name, "copy");
  EXPECT_EQ(meta.find_shard(2)->database->name, "other");
}

TEST_F(RestorerTest, RefusesAShardThatIsThere) {
  write_file(datadir_ / "db/autogen/2/000000009-000000001.tsm", "old");
  EXPECT_EQ(refusal<UsageError>(),
            (datadir_ / "db/autogen/2").string() +
                " is there already; --overwrite replaces them, --skip-existing leaves them");
}

TEST_F(RestorerTest, OverwriteReplacesTheWholeShardAndItsStaleIndex) {
  write_file(datadir_ / "db/autogen/2/000000009-000000001.tsm", "old");
  write_file(datadir_ / "db/autogen/2/fields.idx", "stale");
  write_file(datadir_ / "db/autogen/2/index/0/L0-00000001.tsl", "stale");
  request_.overwrite = true;
  run();
  expect_shard_2();
  EXPECT_EQ(contents(datadir_).size(), 2u + 2u + 3u) << "nothing else";
}

TEST_F(RestorerTest, OnlyAWalThatHoldsSomethingIsWarnedOf) {
  const auto segment = datadir_.parent_path() / "wal/db/autogen/2/_00001.wal";
  write_file(segment, "");
  EXPECT_TRUE(plan_restore(*repository_, request_).warnings.empty());
  write_file(segment, "points");
  EXPECT_EQ(plan_restore(*repository_, request_).warnings.size(), 1u);
}

TEST_F(RestorerTest, TakesAnEmptyDirectoryAsNotThere) {
  stdfs::create_directories(datadir_ / "db/autogen/2");
  run();
  expect_shard_2();
}

TEST_F(RestorerTest, AFileWithAnotherDigestLeavesTheOldShard) {
  write_file(datadir_ / "db/autogen/2/000000009-000000001.tsm", "old");
  const auto before = contents(dir_ / "target");
  const RestorePlan plan = plan_restore(*repository_, request_);
  {
    RestoreWriter writer(repository_->key(), datadir_, {}, [](const RestoreShard&) {});
    writer.begin_shard(plan.shards.at(0));
    writer.begin_file(plan.shards[0].files.at(0));
    writer.write({{as_bytes("something else"), nullptr}});
    EXPECT_THROW(writer.end_file(), CorruptError);
  }
  EXPECT_EQ(contents(dir_ / "target"), before);
}

TEST_F(RestorerTest, RefusesANumberThatIsTakenOnDisk) {
  request_.metadir.clear();
  write_file(datadir_ / "other/autogen/10/x.tsm", "theirs");
  EXPECT_EQ(refusal<UsageError>(), "number 10 is taken in " + datadir_.string() +
                                       ": it is the shard 'other/autogen/10'; name --metadir too: "
                                       "the shard then gets a new number");
}

TEST_F(RestorerTest, RefusesANumberThatTheServersMetastoreHasElsewhere) {
  request_.metadir.clear();
  write_file(metadir_ / "meta.db", metastore("other", {2}));
  EXPECT_EQ(refusal<UsageError>(), "number 2 belongs to 'other'.'autogen' in " +
                                       (metadir_ / "meta.db").string() +
                                       "; name --metadir too: the shard then gets a new number");
  write_file(metadir_ / "meta.db", metastore("db", {2}));
  const RestorePlan plan = run();
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("db/autogen/10 is not in"), std::string::npos);
}

TEST_F(RestorerTest, RefusesADamagedMetastore) {
  write_file(metadir_ / "meta.db", "nonsense");
  EXPECT_NE(refusal<CorruptError>().find("meta.db is not a sound metastore"), std::string::npos);
}

TEST_F(RestorerTest, RefusesWhileAnInfluxdHasFilesOpen) {
  write_file(datadir_ / "db/_series/00/0000", "mapped");
  const Fd held = open_file(datadir_ / "db/_series/00/0000", O_RDONLY);
  char name[16];
  ::prctl(PR_GET_NAME, name);
  ::prctl(PR_SET_NAME, "influxd");  // of the main thread: of the process
  const std::string said = refusal<BusyError>();
  ::prctl(PR_SET_NAME, name);
  EXPECT_EQ(said, "influxd (" + std::to_string(::getpid()) + ") has files of " + datadir_.string() +
                      " open; stop it first (systemctl stop influxdb), or restore into it with "
                      "--online");
}

TEST_F(RestorerTest, RefusesADiskThatIsTooSmall) {
  if (::geteuid() != 0 || ::mount("none", datadir_.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "needs root, to mount a tmpfs";
  const std::string said = refusal<Error>();
  ::umount(datadir_.c_str());
  EXPECT_NE(said.find("are wanted in " + datadir_.string()), std::string::npos) << said;
}

TEST_F(RestorerTest, ADiskThatFillsUpOnTheWayLeavesNothing) {
  if (::geteuid() != 0 || ::mount("none", datadir_.c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "needs root, to mount a tmpfs";
  const RestorePlan plan = plan_restore(*repository_, request_);
  EXPECT_THROW(restore(*repository_, plan, request_, {}, {}), IoError);
  const auto left = contents(dir_ / "target");
  ::umount(datadir_.c_str());
  EXPECT_EQ(left.size(), 2u) << "data and meta";
}

TEST_F(RestorerTest, PlanAndCheckChangeNothing) {
  const auto before = contents(dir_ / "target");
  check_target(plan_restore(*repository_, request_), request_);
  EXPECT_EQ(contents(dir_ / "target"), before);
}

TEST_F(RestorerTest, CancelledLeavesNothingUnfinished) {
  std::stop_source stop;
  stop.request_stop();
  const auto before = contents(dir_ / "target");
  EXPECT_THROW(run({}, stop.get_token()), Cancelled);
  EXPECT_EQ(contents(dir_ / "target"), before);
}

TEST_F(RestorerTest, ClearsWhatAKilledRestoreLeft) {
  write_file(datadir_ / "db/autogen/.2.tsmfs-restore/half.tsm", "half");
  run();
  EXPECT_EQ(contents(datadir_).size(), 2u + 2u + 3u);
}

TEST_F(RestorerTest, VerifyReadsEverythingBack) {
  RestoreOptions options;
  options.verify = true;
  size_t shards = 0;
  options.on_shard = [&](const RestoredShard& restored) {
    EXPECT_EQ(restored.done, ++shards);
    EXPECT_EQ(restored.total, 2u);
  };
  run(options);
  EXPECT_EQ(shards, 2u);
  // What the disk has made of a file is seen: here, between the writing and the reading back.
  request_.overwrite = true;
  options.on_shard = [&](const RestoredShard&) {
    std::ofstream(datadir_ / "db/autogen/2/000000001-000000001.tsm", std::ios::in) << "X";
  };
  EXPECT_THROW(run(options), CorruptError);
}

TEST_F(RestorerTest, AMetastoreThatChangedOnTheWayIsLeftAlone) {
  RestoreOptions options;
  options.on_shard = [&](const RestoredShard&) { write_file(metadir_ / "meta.db", "new"); };
  EXPECT_THROW(run(options), BusyError);
  EXPECT_EQ(meta_db(), "new");
}

TEST_F(RestorerTest, GivesFilesToTheOwnerOfTheDirectory) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::chown(datadir_.c_str(), 12345, 12346), 0);
  request_.owner.group = 777;
  run();
  for (const char* path :
       {"db", "db/autogen", "db/autogen/2", "db/autogen/2/000000001-000000001.tsm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((datadir_ / path).c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 12345u) << path;
    EXPECT_EQ(status.st_gid, 777u) << path;
  }
}

TEST_F(RestorerTest, WarnsOfWhatTheSnapshotLacks) {
  publish([](SnapshotBuilder& builder) {
    builder.problem(Problem::Severity::kIncomplete, "db/autogen/2", "never came whole");
    builder.problem(Problem::Severity::kIncomplete, "other/autogen/5", "is gone");
    builder.problem(Problem::Severity::kWarning, "db/autogen/2", "odd");
    builder.manifest().partial = true;
  });
  request_.choice.filter.databases = {"db"};
  const RestorePlan plan = plan_restore(*repository_, request_);
  ASSERT_EQ(plan.warnings.size(), 2u);
  EXPECT_NE(plan.warnings[0].find("is partial"), std::string::npos);
  EXPECT_EQ(plan.warnings[1], "the snapshot is incomplete: db/autogen/2 never came whole");
}

TEST_F(RestorerTest, WarnsOfTombstonesThatAnOlderServerCannotRead) {
  publish([](SnapshotBuilder& builder) { builder.manifest().dialect = "influxd 1.2-1.4"; },
          std::string("\0\0\x15\x04", 4));
  const RestorePlan plan = plan_restore(*repository_, request_);
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("000000001-000000001.tombstone was written by influxd 1.5"),
            std::string::npos);
}

TEST_F(RestorerTest, WarnsOfTimeRangesThatALaterServerMisreads) {
  const auto tombstone = [](uint64_t first, uint64_t last) {
    std::string text("\0\0\x15\x02\0\0\0\1k", 9);
    for (const uint64_t time : {first, last})
      for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(time >> shift);
    return text;
  };
  const auto from_old = [](SnapshotBuilder& builder) {
    builder.manifest().dialect = "influxd 1.2-1.4";
  };
  publish(from_old, tombstone(1, 2));
  const RestorePlan plan = plan_restore(*repository_, request_);
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("deletes a time range as influxd 1.2 and 1.3"),
            std::string::npos);
  publish(from_old, tombstone(uint64_t{1} << 63, INT64_MAX));
  EXPECT_TRUE(plan_restore(*repository_, request_).warnings.empty());
}

TEST_F(RestorerTest, SaysThatASnapshotHasNoDataOfWhatIsWanted) {
  publish([](SnapshotBuilder& builder) { builder.add_meta_file("node.json", as_bytes("null")); });
  request_.choice.filter.databases = {"nosuch"};
  EXPECT_EQ(refusal<UsageError>(), "the snapshot has no database 'nosuch'; it has 'db'");
}

}  // namespace
}  // namespace tsmfs::snapshot
