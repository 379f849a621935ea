#include "snapshot/restore/restore_online.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/support/upload_server.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

class RestoreOnlineTest : public BackupTest {
 protected:
  RestoreOnlineTest() {
    ServerState state = sample_state();
    state.shards[{"db", "rp", 2}].erase("000000001-000000001.tombstone");
    state.tell(*fake);
    taken = back_up();
    server.set_metastore(ServerState().meta_db());
    server.answer_update({{1, 21}, {2, 22}});
    request.endpoint = server.endpoint();
    request.connection = InfluxdOptions::with_idle_max(std::chrono::seconds(20));
    request.options.filter.databases = {"db"};
  }
  void run() {
    const auto repository = index::Repository::open_reader({root});
    Catalog catalog(repository->storage());
    result = {};
    restore_online(*repository, catalog, request, result, stop.get_token());
  }

  support::UploadServer server;
  SnapshotPtr taken;
  OnlineRequest request;
  OnlineResult result;
};

TEST_F(RestoreOnlineTest, ChoosesPlansAndUploads) {
  std::vector<std::string> told;
  request.on_chosen = [&](const ChosenSnapshot&) { told.emplace_back("chosen"); };
  request.on_planned = [&](const OnlineResult&) { told.emplace_back("planned"); };
  request.on_begin = [&](const OnlineResult&) { told.emplace_back("begin"); };
  request.options.on_shard = [&](const UploadedShard&) { told.emplace_back("shard"); };
  run();
  EXPECT_EQ(told, (std::vector<std::string>{"chosen", "planned", "begin", "shard", "shard"}));
  EXPECT_EQ(result.chosen.snapshot->id, taken->id);
  EXPECT_EQ(result.report.whole, (std::vector<ShardPath>{{"db", "rp", 21}, {"db", "rp", 22}}));
  EXPECT_EQ(result.stage, OnlineStage::kDone);
  EXPECT_FALSE(result.lacks());
}

TEST_F(RestoreOnlineTest, ADryRunSendsNothing) {
  request.dry_run = true;
  run();
  EXPECT_EQ(result.plan.shards, 2u);
  EXPECT_EQ(result.stage, OnlineStage::kPlanning);
  EXPECT_TRUE(server.updates().empty());
}

TEST_F(RestoreOnlineTest, AnOldServerTakesNoRestore) {
  support::FakeInfluxd old(Dialect::k14);
  sample_state().tell(old);
  request.endpoint = old.endpoint();
  EXPECT_THROW(run(), ProtocolError);
  EXPECT_EQ(result.chosen.snapshot->id, taken->id);
}

TEST_F(RestoreOnlineTest, TheResultSaysAfterAThrowWhatIsOnTheServer) {
  request.options.on_shard = [&](const UploadedShard&) { stop.request_stop(); };
  EXPECT_THROW(run(), Cancelled);
  EXPECT_EQ(result.stage, OnlineStage::kUploading);
  EXPECT_EQ(result.report.whole, (std::vector<ShardPath>{{"db", "rp", 21}}));
}

TEST_F(RestoreOnlineTest, AShardThatFailsIsNoDamageOfWhatIsStored) {
  server.answer_update({{1, 21}, {2, 22}});
  server.reset_after(21, 1000);
  run();
  EXPECT_EQ(result.report.failed.size(), 1u);
  EXPECT_FALSE(result.damaged());
  EXPECT_EQ(result.stage, OnlineStage::kDone);
}

MissingSettings a_query_and_a_user() {
  MissingSettings missing;
  missing.queries = {{"db", "q",
                      "CREATE CONTINUOUS QUERY q ON db BEGIN SELECT mean(x) INTO y FROM z "
                      "GROUP BY time(1h) END"}};
  missing.users = {{"joe", false, {{"db", Privilege::kRead}}}};
  return missing;
}

TEST(SettingsRestorer, WithoutAQueryApiAllIsLeftOut) {
  SettingsRestorer restorer(std::nullopt, a_query_and_a_user(), {}, {});
  EXPECT_TRUE(restorer.plan().made.statements.empty());
  EXPECT_EQ(restorer.plan().left_out.size(), 2u);
  EXPECT_TRUE(restorer.plan().lacks);
  restorer.require_server({"db"});
  SettingsReport report;
  restorer.run(report);
  EXPECT_EQ(report.sent, 0u);
}

TEST(SettingsRestorer, AStatementThatFailsDoesNotKeepTheOthersBack) {
  QueryServer nobody;
  nobody.url = "http://127.0.0.1:1";
  SettingsRestorer restorer(nobody, a_query_and_a_user(), {}, {});
  EXPECT_FALSE(restorer.plan().lacks);
  EXPECT_EQ(restorer.plan().url, "http://127.0.0.1:1");
  SettingsReport report;
  restorer.run(report);
  EXPECT_EQ(report.sent, 0u);
  EXPECT_EQ(report.failed.size(), restorer.plan().made.statements.size());
  EXPECT_GE(report.failed.size(), 2u);
}

TEST(SettingsRestorer, OfACopyUnderAnotherNameNothingWasAskedFor) {
  MetaChoice choice;
  choice.filter.databases = {"db"};
  choice.new_database = "copy";
  const SettingsRestorer restorer(std::nullopt, a_query_and_a_user(), choice, {});
  EXPECT_FALSE(restorer.plan().left_out.empty());
  EXPECT_FALSE(restorer.plan().lacks);
}

}  // namespace
}  // namespace tsmfs::snapshot
