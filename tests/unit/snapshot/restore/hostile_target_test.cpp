// Restore and export as root into directories of somebody who plants things there.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "snapshot/export/exporter.h"
#include "tests/unit/hostile_target_fixture.h"

namespace tsmfs::snapshot {
namespace {

TEST_F(HostileTargetTest, WhatIsRestoredBelongsToTheOwner) {
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, MissingDirectoriesAreTheOwners) {
  stdfs::remove(datadir_);
  request_.datadir = datadir_ = home_ / "new/data";
  run();
  expect_restored();
  EXPECT_EQ(own_status_of(home_ / "new").st_uid, kOtherUser);
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
  stdfs::create_hard_link(victim_ / "2/old.tsm",
                          datadir_ / "db/autogen/.2.tsmfs-restore" / kTsmFile);
  run();
  expect_restored();
}

TEST_F(HostileTargetTest, AnythingElseUnderATemporaryNameIsRemoved) {
  ASSERT_EQ(::mkfifo((home_ / "fifo").c_str(), 0666), 0);
  plant_file(metadir_ / ".meta.db.tsmfs-restore/deep/file", "x");
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
  EXPECT_TRUE(S_ISLNK(own_status_of(datadir_ / "db/autogen/2").st_mode));
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
  plant_file(home_ / "theirs", meta_db_);
  plant(meta_db, home_ / "theirs");
  EXPECT_NE(refusal().find(meta_db.string() + " is a link, or no file"), std::string::npos);
  EXPECT_THROW(plan_restore(*repository_, request_), UsageError) << "not even looked at";
}

TEST_F(HostileTargetTest, AMetastoreBesideTheDataIsNotFollowedEither) {
  request_.metadir.clear();
  plant_file(victim_ / "meta.db", meta_db_);
  victim_before_ = everything(victim_);
  plant(datadir_.parent_path() / "meta/meta.db", victim_ / "meta.db");
  EXPECT_NE(refusal().find("meta/meta.db is a link, or no file"), std::string::npos);
}

TEST_F(HostileTargetTest, AShardThatItsOwnerCouldNotRemoveStays) {
  plant_file(datadir_ / "db/autogen/2/old.tsm", "root's");
  mine();
  give_tree_to(datadir_ / "db/autogen/2", 0, 0);
  request_.overwrite = true;
  EXPECT_NE(refusal().find("cannot write to " + (datadir_ / "db/autogen/2").string()),
            std::string::npos);
  EXPECT_EQ(read_whole_file(datadir_ / "db/autogen/2/old.tsm", 100), "root's");
  EXPECT_EQ(everything(datadir_).size(), 4u) << "nothing else";
}

TEST_F(HostileTargetTest, ALinkToTheOwnersOtherDiskWorks) {
  stdfs::create_directories(home_ / "disk");
  plant(datadir_ / "db", "../disk");
  run();
  EXPECT_TRUE(stdfs::exists(home_ / "disk/autogen/2" / kTsmFile));
  EXPECT_EQ(own_status_of(home_ / "disk/autogen/3").st_uid, kOtherUser);
  EXPECT_TRUE(S_ISLNK(own_status_of(datadir_ / "db").st_mode));
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

TEST_F(HostileTargetTest, AnExportIsTheOwners) {
  Exporter exporter(*repository_, request_.snapshot, {}, {});
  exporter.write_legacy(home_ / "new");
  exporter.write_tar_file(home_ / "new.tar");
  for (const char* name : {"new", "new/meta.00", "new/db.autogen.00002.00", "new.tar"})
    EXPECT_EQ(own_status_of(home_ / name).st_uid, kOtherUser) << name;
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
