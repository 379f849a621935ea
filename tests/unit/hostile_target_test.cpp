// Restore and export as root into directories of somebody who plants things there.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <map>
#include <thread>

#include "index/base/error.h"
#include "snapshot/exporter.h"
#include "snapshot/restorer.h"
#include "snapshot/snapshot_builder.h"
#include "tests/support/other_user.h"
#include "tests/support/protobuf.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

using support::protobuf::bytes;
using support::protobuf::number;
using test::give_to;
using test::give_tree_to;
using test::kOtherGroup;
using test::kOtherUser;
using test::status_of;

constexpr uid_t kThirdUser = 4711;
constexpr const char* kFile = "000000001-000000001.tsm";

void write_file(const stdfs::path& path, const std::string& content) {
  stdfs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

// {path: what it is, whose, and its content} of everything below a directory.
std::map<std::string, std::string> everything(const stdfs::path& root) {
  std::map<std::string, std::string> found;
  for (const auto& entry : stdfs::recursive_directory_iterator(root)) {
    const struct stat status = status_of(entry.path());
    std::string& text = found[stdfs::relative(entry.path(), root).string()];
    text = std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + " ";
    if (entry.is_regular_file()) text += read_whole_file(entry.path(), 1 << 30);
  }
  return found;
}

// A snapshot of shards 2 and 3 of database "db"; "home" with data and meta, which belong to another
// user; and "victim", root's, which looks like a data directory and like a database.
class HostileTargetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::is_root()) GTEST_SKIP() << "needs root";
    ::chmod(dir_.path().c_str(), 0755);
    for (const char* name : {"db/autogen/2", "autogen/2", "2"})
      write_file(victim_ / name / "old.tsm", "precious");
    write_file(victim_ / "meta.db", "precious");
    victim_before_ = everything(victim_);
    stdfs::create_directories(datadir_);
    stdfs::create_directories(metadir_);
    publish();
    request_.datadir = datadir_;
    request_.metadir = metadir_;
    mine();
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_EQ(everything(victim_), victim_before_);
  }

  // All of home is the other user's.
  void mine() const { give_tree_to(home_, kOtherUser, kOtherGroup); }

  void publish() {
    index::Repository::create(dir_ / "repo");
    repository_ = index::Repository::open_writer(dir_ / "repo", "test");
    index::RepositoryWriter writer(*repository_, {});
    Catalog catalog(repository_->paths());
    Manifest manifest;
    manifest.time = now();
    manifest.server = "db1";
    manifest.dialect = "influxd 1.5+";
    SnapshotBuilder builder(*repository_, writer, catalog, std::move(manifest));
    std::string groups;
    for (const uint64_t id : {2u, 3u}) {
      const auto stored = test::put(writer, tsm_, index::FileKind::kTsm);
      builder.add_shard(
          {"db", "autogen", id},
          {TreeEntry{kFile, EntryKind::kFile, 0644, now(), stored.size, 0, stored.id}}, 0);
      groups += bytes(5, number(1, id) + number(2, id * 3600) + number(3, id * 3600 + 3600) +
                             bytes(5, number(1, id)));
    }
    meta_db_ = number(1, 0) + number(2, 3) + number(3, 4) +
               bytes(5, bytes(1, "db") + bytes(2, "autogen") +
                            bytes(3, bytes(1, "autogen") + number(2, 0) + groups)) +
               number(8, 20) + number(9, 20);
    builder.add_meta_file("meta.db", as_bytes(meta_db_));
    request_.snapshot = builder.publish();
  }

  void run() {
    RestorePlan plan = plan_restore(*repository_, request_);
    check_target(plan, request_);
    RestoreOptions options;
    options.verify = true;
    restore(*repository_, plan, request_, options, {});
  }
  // What the restore says when it fails.
  std::string refusal() {
    try {
      run();
    } catch (const Error& error) {
      return std::string(error.what()) + "; " + error.advice();
    }
    return "nothing";
  }
  void plant(const stdfs::path& link, const stdfs::path& target) const {
    stdfs::create_directories(link.parent_path());
    stdfs::create_symlink(target, link);
    mine();
  }
  void expect_restored(uid_t user = kOtherUser, gid_t group = kOtherGroup) const {
    for (const char* name : {"db", "db/autogen", "db/autogen/2", "db/autogen/3"}) {
      const struct stat status = status_of(datadir_ / name);
      EXPECT_EQ(status.st_mode, S_IFDIR | 0755u) << name;
      EXPECT_EQ(status.st_uid, user) << name;
      EXPECT_EQ(status.st_gid, group) << name;
    }
    const struct stat file = status_of(datadir_ / "db/autogen/2" / kFile);
    EXPECT_EQ(file.st_mode, S_IFREG | 0644u);
    EXPECT_EQ(file.st_uid, user);
    EXPECT_EQ(file.st_gid, group);
    const struct stat meta = status_of(metadir_ / "meta.db");
    EXPECT_EQ(meta.st_mode, S_IFREG | 0600u);
    EXPECT_EQ(meta.st_uid, user);
    EXPECT_EQ(meta.st_gid, group);
    EXPECT_EQ(everything(datadir_).size(), 2u + 2u + 2u) << "nothing else";
    EXPECT_EQ(everything(metadir_).size(), 1u) << "nothing else";
  }

  test::TempDir dir_;
  stdfs::path home_ = dir_ / "home", victim_ = dir_ / "victim";
  stdfs::path datadir_ = home_ / "data", metadir_ = home_ / "meta";
  std::map<std::string, std::string> victim_before_;
  ByteBuffer tsm_ = test::make_tsm(20, 500, 1);
  std::string meta_db_;
  std::unique_ptr<index::Repository> repository_;
  RestoreRequest request_;
};

TEST_F(HostileTargetTest, WhatIsRestoredBelongsToTheOwner) {
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, MissingDirectoriesAreTheOwners) {
  stdfs::remove(datadir_);
  request_.datadir = datadir_ = home_ / "new/data";
  run();
  expect_restored();
  EXPECT_EQ(status_of(home_ / "new").st_uid, kOtherUser);
}

TEST_F(HostileTargetTest, ALinkUnderATemporaryNameIsRemovedAndNotFollowed) {
  plant(metadir_ / ".meta.db.tsmfs-restore", victim_ / "meta.db");
  plant(datadir_ / "db/autogen/.2.tsmfs-restore", victim_);
  plant(datadir_ / "db/autogen/.3.tsmfs-old", victim_);
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, AHardLinkUnderATemporaryNameKeepsItsContent) {
  stdfs::create_hard_link(victim_ / "meta.db", metadir_ / ".meta.db.tsmfs-restore");
  stdfs::create_directories(datadir_ / "db/autogen/.2.tsmfs-restore");
  mine();
  give_to(victim_ / "meta.db", 0, 0);
  stdfs::create_hard_link(victim_ / "2/old.tsm", datadir_ / "db/autogen/.2.tsmfs-restore" / kFile);
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, AnythingElseUnderATemporaryNameIsRemoved) {
  ASSERT_EQ(::mkfifo((home_ / "fifo").c_str(), 0666), 0);
  write_file(metadir_ / ".meta.db.tsmfs-restore/deep/file", "x");
  stdfs::create_directories(datadir_ / "db/autogen");
  stdfs::rename(home_ / "fifo", datadir_ / "db/autogen/.2.tsmfs-restore");
  mine();
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, ALinkToRootsDirectoryFailsAtEveryLevel) {
  for (const char* level : {"data", "data/db", "data/db/autogen"}) {
    stdfs::remove_all(datadir_);
    plant(home_ / level, victim_);
    request_.overwrite = true;
    const std::string said = refusal();
    EXPECT_NE(said.find("Permission denied"), std::string::npos) << level << ": " << said;
    EXPECT_NE(said.find("with the rights of user 12345"), std::string::npos) << said;
    EXPECT_EQ(everything(victim_), victim_before_) << level;
  }
}

TEST_F(HostileTargetTest, ALinkToRootsMetaDirectoryFails) {
  stdfs::remove(metadir_);
  plant(metadir_, victim_);
  stdfs::remove(victim_ / "meta.db");
  victim_before_ = everything(victim_);
  EXPECT_NE(refusal().find("Permission denied"), std::string::npos);
  EXPECT_TRUE(stdfs::is_empty(datadir_)) << "checked before anything is written";
}

TEST_F(HostileTargetTest, ALinkInTheShardsPlaceIsReplacedAndNotFollowed) {
  plant(datadir_ / "db/autogen/2", victim_ / "2");
  EXPECT_NE(refusal().find("there already"), std::string::npos);
  request_.overwrite = true;
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, WhatThePlanDidNotSeeIsNotReplaced) {
  plant(datadir_ / "db/autogen/2", victim_ / "absent");
  EXPECT_EQ(refusal(), (datadir_ / "db/autogen/2").string() +
                           " is in the way, which the restore did not expect; look at it; when it "
                           "can go, remove it and restore again");
  EXPECT_TRUE(S_ISLNK(status_of(datadir_ / "db/autogen/2").st_mode));
  EXPECT_EQ(everything(datadir_).size(), 3u) << "nothing of the shard";
}

TEST_F(HostileTargetTest, AFileWhereADirectoryBelongsIsAnError) {
  ASSERT_EQ(::mkfifo((datadir_ / "db").c_str(), 0666), 0);
  mine();
  EXPECT_NE(refusal().find((datadir_ / "db").string() + " is not a directory"), std::string::npos);
}

TEST_F(HostileTargetTest, AMetastoreThatIsNoPlainFileIsAnError) {
  const stdfs::path meta_db = metadir_ / "meta.db";
  ASSERT_EQ(::mkfifo(meta_db.c_str(), 0666), 0);
  EXPECT_NE(refusal().find(meta_db.string()), std::string::npos);
  stdfs::remove(meta_db);
  // Another server's, which only root may read, would go into a file that its owner may.
  write_file(home_ / "theirs", meta_db_);
  plant(meta_db, home_ / "theirs");
  EXPECT_NE(refusal().find(meta_db.string() + " is a link, or no file"), std::string::npos);
}

TEST_F(HostileTargetTest, ALinkToTheOwnersOtherDiskWorks) {
  stdfs::create_directories(home_ / "disk");
  plant(datadir_ / "db", "../disk");
  run();
  EXPECT_TRUE(stdfs::exists(home_ / "disk/autogen/2" / kFile));
  EXPECT_EQ(status_of(home_ / "disk/autogen/3").st_uid, kOtherUser);
  EXPECT_TRUE(S_ISLNK(status_of(datadir_ / "db").st_mode));
}

TEST_F(HostileTargetTest, AnExplicitOwnerGetsTheFiles) {
  request_.owner = {kThirdUser, kThirdUser};
  run();
  expect_restored(kThirdUser, kThirdUser);
  // Again, where the directories are that user's by now.
  request_.metadir.clear();
  request_.overwrite = true;
  run();
  expect_restored(kThirdUser, kThirdUser);
}

TEST_F(HostileTargetTest, IntoRootsDirectoryForTheServersUser) {
  give_tree_to(home_, 0, 0);
  request_.owner = {kOtherUser, kOtherGroup};
  run();
  expect_restored();
  request_.overwrite = true;
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, AFailedRestoreForAnExplicitOwnerLeavesNothing) {
  request_.owner = {kThirdUser, kThirdUser};
  const RestorePlan plan = plan_restore(*repository_, request_);
  std::stop_source stop;
  RestoreOptions options;
  stop.request_stop();
  EXPECT_THROW(restore(*repository_, plan, request_, options, stop.get_token()), Cancelled);
  EXPECT_TRUE(stdfs::is_empty(datadir_));
  EXPECT_TRUE(stdfs::is_empty(metadir_));
}

// Directories become links to the victim's, and themselves again, all the time.
TEST_F(HostileTargetTest, LinksSwappedInWhileRestoreWorksLeadNowhere) {
  run();
  const auto swap = [&](const stdfs::path& path, const stdfs::path& target, auto work) {
    const stdfs::path trap = home_ / "trap";
    stdfs::create_directory_symlink(target, trap);
    give_to(trap, kOtherUser, kOtherGroup);
    std::atomic<bool> done = false;
    std::thread swapper([&] {
      while (!done) ::renameat2(AT_FDCWD, trap.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE);
    });
    for (int i = 0; i < 40; ++i) try {
        work();
      } catch (const std::exception&) {
        // Refused, as it may be.
      }
    done = true;
    swapper.join();
    for (const stdfs::path& each : {trap, path})
      if (S_ISLNK(status_of(each).st_mode)) stdfs::remove(each);
    if (stdfs::exists(trap)) stdfs::rename(trap, path);
    EXPECT_EQ(everything(victim_), victim_before_) << path;
  };
  request_.overwrite = true;
  for (const auto& [path, target] : std::map<std::string, std::string>{
           {"data", "."}, {"data/db", "db"}, {"data/db/autogen", "db/autogen"}, {"meta", "."}})
    swap(home_ / path, victim_ / target, [&] { run(); });
  // What is renamed into a name between its making and its opening is not given away.
  give_to(metadir_, kOtherUser, kOtherGroup);
  swap(metadir_ / "meta.db", victim_ / "meta.db", [&] { run(); });
  mine();
  stdfs::remove_all(datadir_ / "db");
  run();
}

// The shard's staging directory becomes a link, or a directory of root's, as soon as it is there.
TEST_F(HostileTargetTest, AStagingDirectoryThatIsSwappedLeadsNowhere) {
  const stdfs::path policy = datadir_ / "db/autogen", trap = policy / "trap";
  stdfs::create_directories(policy);
  mine();
  for (const bool link : {true, false}) {
    if (link)
      stdfs::create_directory_symlink(victim_ / "2", trap);
    else
      stdfs::create_directory(trap);  // root's
    std::atomic<bool> done = false;
    std::thread swapper([&] {
      while (!done)
        ::renameat2(AT_FDCWD, trap.c_str(), AT_FDCWD, (policy / ".2.tsmfs-restore").c_str(),
                    RENAME_EXCHANGE);
    });
    request_.overwrite = true;
    for (int i = 0; i < 60; ++i) try {
        run();
      } catch (const std::exception&) {
        // Refused, as it may be.
      }
    done = true;
    swapper.join();
    EXPECT_EQ(everything(victim_), victim_before_);
    for (const auto& entry : stdfs::directory_iterator(policy))
      EXPECT_TRUE(link || status_of(entry.path()).st_uid != 0 || stdfs::is_empty(entry.path()))
          << "written into root's own";
    stdfs::remove_all(datadir_ / "db");
    stdfs::create_directories(policy);
    mine();
  }
}

TEST_F(HostileTargetTest, AnExportIsTheOwners) {
  Exporter exporter(*repository_, request_.snapshot, {}, {});
  exporter.write_legacy(home_ / "new");
  exporter.write_tar_file(home_ / "new.tar");
  for (const char* name : {"new", "new/meta.00", "new/db.autogen.00002.00", "new.tar"})
    EXPECT_EQ(status_of(home_ / name).st_uid, kOtherUser) << name;
}

TEST_F(HostileTargetTest, AnExportFollowsNoPlantedLink) {
  Exporter exporter(*repository_, request_.snapshot, {}, {});
  plant(home_ / "out", victim_);
  EXPECT_THROW(exporter.write_legacy(home_ / "out" / "new"), IoError);
  EXPECT_THROW(exporter.write_portable(home_ / "out"), Error);
  EXPECT_THROW(exporter.write_tar_file(home_ / "out" / "new.tar"), IoError);
  stdfs::create_directory(home_ / "empty");
  plant(home_ / "empty/.tsmfs-export.tmp", victim_);
  EXPECT_THROW(exporter.write_legacy(home_ / "empty"), UsageError);
  plant(home_ / "x.tar.tsmfs-export.tmp", victim_ / "meta.db");
  exporter.write_tar_file(home_ / "x.tar");
  plant(home_ / "y.tar", victim_ / "absent");
  EXPECT_THROW(exporter.write_tar_file(home_ / "y.tar"), UsageError);
}

}  // namespace
}  // namespace tsmfs::snapshot
