#include "snapshot/restore/restore_offline.h"

#include <gtest/gtest.h>

#include "tests/unit/restorer_fixture.h"

namespace tsmfs::snapshot {
namespace {

class RestoreOfflineTest : public RestorerTest {
 protected:
  RestoreOfflineTest() {
    request.restore = request_;
    request.restore.snapshot = nullptr;
  }
  void run() {
    Catalog catalog(repository_->storage());
    restore_offline(*repository_, catalog, request, result, stop.get_token());
  }

  OfflineRequest request;
  OfflineResult result;
  std::stop_source stop;
};

TEST_F(RestoreOfflineTest, RestoresTheNewestSnapshotAndSaysWhich) {
  std::vector<std::string> told;
  request.on_chosen = [&](const ChosenSnapshot&) { told.emplace_back("chosen"); };
  request.on_planned = [&](const OfflineResult& planned) {
    EXPECT_EQ(planned.plan.shards.size(), 2u);
    EXPECT_TRUE(contents_below(datadir_).empty());
    told.emplace_back("planned");
  };
  request.options.on_shard = [&](const RestoredShard&) { told.emplace_back("shard"); };
  run();
  EXPECT_EQ(told, (std::vector<std::string>{"chosen", "planned", "shard", "shard"}));
  EXPECT_EQ(result.chosen.snapshot->id, request_.snapshot->id);
  EXPECT_FALSE(result.lacks());
  expect_shard_2();
}

TEST_F(RestoreOfflineTest, ADryRunPlansAndChangesNothing) {
  request.dry_run = true;
  run();
  EXPECT_EQ(result.plan.shards.size(), 2u);
  EXPECT_TRUE(contents_below(dir_ / "target/data").empty());
  EXPECT_TRUE(contents_below(dir_ / "target/meta").empty());
}

TEST_F(RestoreOfflineTest, WhatIsInTheWayIsFoundBeforeItIsPlanned) {
  run();
  request.on_planned = [](const OfflineResult&) { ADD_FAILURE() << "shard 2 is there"; };
  EXPECT_THROW(run(), UsageError);
}

TEST_F(RestoreOfflineTest, TheResultSaysAfterAThrowWhatWasPlanned) {
  request.on_planned = [](const OfflineResult&) { throw Cancelled(); };
  EXPECT_THROW(run(), Cancelled);
  EXPECT_EQ(result.plan.shards.size(), 2u);
}

TEST_F(RestoreOfflineTest, TheLogThatWasAskedForAndIsNotThereIsLacking) {
  request.restore.waldir = dir_ / "target" / "wal";
  stdfs::create_directory(request.restore.waldir);
  run();
  EXPECT_TRUE(result.lacks());
}

}  // namespace
}  // namespace tsmfs::snapshot
