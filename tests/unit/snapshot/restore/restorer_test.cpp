#include "snapshot/restore/restorer.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapshot/restore/restore_writer.h"
#include "tests/support/protobuf.h"
#include "tests/unit/restorer_fixture.h"

namespace tsmfs::snapshot {
namespace {

using support::protobuf::bytes;
using support::protobuf::number;

TEST_F(RestorerTest, WritesDataAndMetastore) {
  const RestorePlan plan = run();
  EXPECT_TRUE(plan.warnings.empty());
  EXPECT_EQ(plan.files, 3u);
  expect_shard_2();
  EXPECT_EQ(contents_below(datadir_ / "db/autogen/10").size(), 1u);
  EXPECT_EQ(meta_db(), hourly_metastore("db", {2, 10}));
  struct stat status {};
  ::stat((datadir_ / "db/autogen/2/000000001-000000001.tsm").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0644u);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'454'349'756);
  EXPECT_EQ(status.st_mtim.tv_nsec, 7);
  ::stat((datadir_ / "db/autogen/2").c_str(), &status);
  EXPECT_EQ(status.st_mode & 07777, 0755u);
  EXPECT_EQ(contents_below(datadir_).size(), 2u + 2u + 3u) << "nothing else";
}

TEST_F(RestorerTest, MakesDirectoriesThatAreMissing) {
  stdfs::remove(datadir_);
  stdfs::remove(metadir_);
  run();
  expect_shard_2();
  EXPECT_EQ(meta_db(), hourly_metastore("db", {2, 10}));
}

TEST_F(RestorerTest, OnlyTheMetastoreOrOnlyTheData) {
  request_.datadir.clear();
  run();
  EXPECT_TRUE(stdfs::is_empty(datadir_));
  EXPECT_EQ(meta_db(), hourly_metastore("db", {2, 10}));
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
  write_text(metadir_ / "meta.db",
             number(2, 3) + number(3, 4) +
                 bytes(5, bytes(1, "db") + bytes(3, bytes(1, "autogen") + group)));
  request_.metadir.clear();
  const RestorePlan plan = plan_restore(*repository_, request_);
  ASSERT_EQ(plan.warnings.size(), 2u);
  EXPECT_NE(plan.warnings[0].find("db/autogen/2 was deleted on the server"), std::string::npos);
  EXPECT_NE(plan.warnings[1].find("db/autogen/10 is not in"), std::string::npos);
}

TEST_F(RestorerTest, RenumbersAndRenamesIntoAServerOfOthers) {
  write_text(metadir_ / "meta.db", hourly_metastore("other", {2, 10}));
  write_text(datadir_ / "other/autogen/2/x.tsm", "theirs");
  request_.choice.filter.databases = {"db"};
  request_.choice.new_database = "copy";
  run();
  expect_shard_2("copy/autogen/21");
  EXPECT_EQ(contents_below(datadir_ / "other/autogen/2").at("x.tsm"), "theirs");
  const Metastore meta = Metastore::parse(as_bytes(meta_db()), "result");
  EXPECT_EQ(meta.find_shard(21)->database->name, "copy");
  EXPECT_EQ(meta.find_shard(2)->database->name, "other");
}

TEST_F(RestorerTest, RefusesAShardThatIsThere) {
  write_text(datadir_ / "db/autogen/2/000000009-000000001.tsm", "old");
  EXPECT_EQ(
      refusal<UsageError>(),
      (datadir_ / "db/autogen/2").string() +
          " is there already; --overwrite replaces them, --skip-existing leaves them, --merge adds "
          "to them");
}

TEST_F(RestorerTest, OverwriteReplacesTheWholeShardAndItsStaleIndex) {
  write_text(datadir_ / "db/autogen/2/000000009-000000001.tsm", "old");
  write_text(datadir_ / "db/autogen/2/fields.idx", "stale");
  write_text(datadir_ / "db/autogen/2/index/0/L0-00000001.tsl", "stale");
  request_.overwrite = true;
  run();
  expect_shard_2();
  EXPECT_EQ(contents_below(datadir_).size(), 2u + 2u + 3u) << "nothing else";
}

TEST_F(RestorerTest, OnlyAWalThatHoldsSomethingIsWarnedOf) {
  const auto segment = datadir_.parent_path() / "wal/db/autogen/2/_00001.wal";
  write_text(segment, "");
  EXPECT_TRUE(plan_restore(*repository_, request_).warnings.empty());
  write_text(segment, "points");
  EXPECT_EQ(plan_restore(*repository_, request_).warnings.size(), 1u);
}

TEST_F(RestorerTest, TakesAnEmptyDirectoryAsNotThere) {
  stdfs::create_directories(datadir_ / "db/autogen/2");
  run();
  expect_shard_2();
}

TEST_F(RestorerTest, AFileWithAnotherDigestLeavesTheOldShard) {
  write_text(datadir_ / "db/autogen/2/000000009-000000001.tsm", "old");
  const auto before = contents_below(dir_ / "target");
  const RestorePlan plan = plan_restore(*repository_, request_);
  {
    RestoreWriter writer(repository_->key(), datadir_, {}, [](const RestoreShard&) {});
    writer.begin_shard(plan.shards.at(0));
    writer.begin_file(plan.shards[0].files.at(0));
    writer.write({{as_bytes("something else"), nullptr}});
    EXPECT_THROW(writer.end_file(), CorruptError);
  }
  EXPECT_EQ(contents_below(dir_ / "target"), before);
}

TEST_F(RestorerTest, RefusesANumberThatIsTakenOnDisk) {
  request_.metadir.clear();
  write_text(datadir_ / "other/autogen/10/x.tsm", "theirs");
  EXPECT_EQ(refusal<UsageError>(), "number 10 is taken in " + datadir_.string() +
                                       ": it is the shard 'other/autogen/10'; name --metadir too: "
                                       "the shard then gets a new number");
}

TEST_F(RestorerTest, RefusesANumberThatTheServersMetastoreHasElsewhere) {
  request_.metadir.clear();
  write_text(metadir_ / "meta.db", hourly_metastore("other", {2}));
  EXPECT_EQ(refusal<UsageError>(), "number 2 belongs to 'other'.'autogen' in " +
                                       (metadir_ / "meta.db").string() +
                                       "; name --metadir too: the shard then gets a new number");
  write_text(metadir_ / "meta.db", hourly_metastore("db", {2}));
  const RestorePlan plan = run();
  ASSERT_EQ(plan.warnings.size(), 1u);
  EXPECT_NE(plan.warnings[0].find("db/autogen/10 is not in"), std::string::npos);
}

TEST_F(RestorerTest, RefusesADamagedMetastore) {
  write_text(metadir_ / "meta.db", "nonsense");
  EXPECT_NE(refusal<CorruptError>().find("meta.db is not a sound metastore"), std::string::npos);
}

TEST_F(RestorerTest, RefusesWhileAnInfluxdHasFilesOpen) {
  write_text(datadir_ / "db/_series/00/0000", "mapped");
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
  const auto left = contents_below(dir_ / "target");
  ::umount(datadir_.c_str());
  EXPECT_EQ(left.size(), 2u) << "data and meta";
}

TEST_F(RestorerTest, PlanAndCheckChangeNothing) {
  const auto before = contents_below(dir_ / "target");
  check_target(plan_restore(*repository_, request_), request_);
  EXPECT_EQ(contents_below(dir_ / "target"), before);
}

TEST_F(RestorerTest, CancelledLeavesNothingUnfinished) {
  std::stop_source stop;
  stop.request_stop();
  const auto before = contents_below(dir_ / "target");
  EXPECT_THROW(run({}, stop.get_token()), Cancelled);
  EXPECT_EQ(contents_below(dir_ / "target"), before);
}

TEST_F(RestorerTest, ClearsWhatAKilledRestoreLeft) {
  write_text(datadir_ / "db/autogen/.2.tsmfs-restore/half.tsm", "half");
  run();
  EXPECT_EQ(contents_below(datadir_).size(), 2u + 2u + 3u);
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
  options.on_shard = [&](const RestoredShard&) { write_text(metadir_ / "meta.db", "new"); };
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
