#include "snapshot/restore/online_restorer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "snapshot/export/exporter.h"
#include "tests/support/string_stream.h"
#include "tests/support/tar_reading.h"
#include "tests/support/upload_server.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

class OnlineRestorerTest : public BackupTest {
 protected:
  OnlineRestorerTest() {
    server.set_metastore(ServerState().meta_db());
    client.probe();
  }

  void take(const ServerState& state) {
    state.tell(*fake);
    taken = back_up();
    repository = index::Repository::open_reader({root});
  }
  OnlineRestorer restorer(OnlineOptions how = {}) {
    return {*repository, taken, client, upload, std::move(how), stop.get_token()};
  }
  static OnlineOptions only(const std::string& database) {
    OnlineOptions how;
    how.filter.databases = {database};
    return how;
  }
  // The files of an upload by their names.
  FileContents uploaded(uint64_t shard) const {
    FileContents files;
    for (const auto& read : support::read_all(server.uploads().at(shard)))
      files[read.member.name] = read.data;
    return files;
  }
  std::string refusal(OnlineOptions how) {
    try {
      restorer(std::move(how)).plan();
    } catch (const UsageError& error) {
      return error.what();
    }
    return {};
  }

  support::UploadServer server;
  const TcpTimeouts timeouts{milliseconds(20'000), milliseconds(20'000)};
  InfluxdClient client{server.endpoint(), {timeouts, milliseconds(20'000)}, stop.get_token()};
  InfluxdUpload upload{server.endpoint(), timeouts, stop.get_token()};
  SnapshotPtr taken;
  std::unique_ptr<index::Repository> repository;
};

ServerState sound_state() {
  ServerState state = sample_state();
  state.shards[{"db", "rp", 2}].erase("000000001-000000001.tombstone");
  return state;
}

TEST_F(OnlineRestorerTest, UploadsEachShardUnderItsNewNumber) {
  const ServerState state = sound_state();
  take(state);
  server.answer_update({{1, 21}, {2, 22}});
  OnlineOptions how = only("db");
  how.new_database = "copy";
  OnlineRestorer online = restorer(how);
  const OnlinePlan plan = online.plan();
  EXPECT_EQ(plan.shards, 2u);
  OnlineReport report;
  online.run(plan, report);
  EXPECT_TRUE(report.failed.empty());
  EXPECT_EQ(report.whole, (std::vector<ShardPath>{{"copy", "rp", 21}, {"copy", "rp", 22}}));
  EXPECT_EQ(uploaded(21), (FileContents{{"copy/rp/21/000000001-000000001.tsm", tsm(60, 1)},
                                        {"copy/rp/21/000000002-000000001.tsm", tsm(30, 2)}}));
  const auto updates = server.updates();
  ASSERT_EQ(updates.size(), 1u);
  const Metastore sent = Metastore::parse(as_bytes(updates[0].meta_db), "test");
  EXPECT_EQ(sent.databases().size(), 1u);
}

TEST_F(OnlineRestorerTest, RefusesWhenDeletedPointsWouldComeBack) {
  ServerState state = sample_state();
  state.shards[{"db", "rp", 2}]["000000001-000000001.tombstone"] = "cpu,host=a#!~#idle\n";
  take(state);
  const std::string why = refusal({});
  EXPECT_NE(why.find("db/rp/2: 'cpu,host=a'"), std::string::npos) << why;
  OnlineOptions how;
  how.resurrect_deleted = true;
  const OnlinePlan plan = restorer(how).plan();
  ASSERT_EQ(plan.notes.size(), 1u);
  EXPECT_NE(plan.notes[0].find("db/rp/2"), std::string::npos);
  EXPECT_EQ(refusal(only("other db")), "");
  EXPECT_TRUE(server.updates().empty());
}

TEST_F(OnlineRestorerTest, TombstoneThatCannotBeReadIsNotPassedOver) {
  ServerState state = sample_state();
  state.shards[{"db", "rp", 2}]["000000001-000000001.tombstone"] = std::string("\0\0\x15\x04xx", 6);
  take(state);
  EXPECT_NE(refusal({}).find("no sound tombstone"), std::string::npos);
}

TEST_F(OnlineRestorerTest, RefusesANameThatTheServerHas) {
  take(sound_state());
  server.set_metastore(sound_state().meta_db());
  EXPECT_NE(refusal(only("db")).find("has a database 'db' already"), std::string::npos);
  OnlineOptions how = only("db");
  how.new_database = "copy";
  EXPECT_EQ(refusal(how), "");
}

TEST_F(OnlineRestorerTest, RefusesChoicesThatMakeNoSense) {
  take(sound_state());
  EXPECT_NE(refusal(only("nowhere")).find("holds nothing of database nowhere"), std::string::npos);
  OnlineOptions how;
  how.new_database = "copy";
  EXPECT_NE(refusal(how).find("2 databases cannot all be called"), std::string::npos);
  how = only("db");
  how.new_database = "a\\b";
  EXPECT_NE(refusal(how).find("cannot be a name"), std::string::npos);
}

TEST_F(OnlineRestorerTest, ServerThatImportsNothingIsAnError) {
  take(sound_state());
  server.answer_update({});
  OnlineRestorer online = restorer(only("db"));
  const OnlinePlan plan = online.plan();
  OnlineReport report;
  EXPECT_THROW(online.run(plan, report), ProtocolError);
  EXPECT_TRUE(report.whole.empty());
  EXPECT_TRUE(server.uploads().empty());
}

TEST_F(OnlineRestorerTest, OneShardThatFailsDoesNotKeepTheOthersBack) {
  ServerState state = sound_state();
  state.shards[{"db", "rp", 1}]["000000003-000000001.tsm"] = tsm(20'000, 5);  // 20 MB
  take(state);
  server.answer_update({{1, 21}, {2, 22}});
  server.reset_after(21, 1000);
  OnlineRestorer online = restorer(only("db"));
  OnlineReport report;
  online.run(online.plan(), report);
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(report.failed[0].from, (ShardPath{"db", "rp", 1}));
  EXPECT_FALSE(report.failed[0].damaged);
  EXPECT_EQ(report.whole, (std::vector<ShardPath>{{"db", "rp", 22}}));
}

TEST_F(OnlineRestorerTest, DamagedFileNeverReachesTheServerWhole) {
  ServerState state = sound_state();
  state.shards[{"db", "rp", 1}]["000000003-000000001.tsm"] = tsm(20'000, 5);  // 20 MB
  take(state);
  server.answer_update({{1, 21}, {2, 22}});
  OnlineRestorer online = restorer(only("db"));
  const OnlinePlan plan = online.plan();
  for (const auto& pack : packs()) {
    std::fstream file(pack, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(pack) / 2));
    file << "damage";
  }
  OnlineReport report;
  online.run(plan, report);
  ASSERT_EQ(report.failed.size(), 1u);
  EXPECT_EQ(report.failed[0].from, (ShardPath{"db", "rp", 1}));
  EXPECT_TRUE(report.failed[0].damaged);
  EXPECT_EQ(report.whole, (std::vector<ShardPath>{{"db", "rp", 22}}));
  const std::string tar = server.uploads().at(21);
  EXPECT_GT(tar.size(), 1u << 20);
  EXPECT_NE(support::complaint(tar).find("ends"), std::string::npos) << support::complaint(tar);
}

}  // namespace
}  // namespace tsmfs::snapshot
