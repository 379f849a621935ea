#include "snapshot/backup/back_up.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class BackUpTest : public BackupTest {
 protected:
  BackUpTest() {
    state.tell(*fake);
    request.repository = {fresh, "backup"};
    request.endpoint = fake->endpoint();
    request.connection = InfluxdOptions::with_idle_max(std::chrono::seconds(20));
    request.capture = options();
    request.capture.dialect.clear();
  }
  BackupResult run() { return snapshot::back_up(request, stop.get_token()); }

  ServerState state = sample_state();
  stdfs::path fresh = dir / "fresh";
  BackupRequest request;
};

TEST_F(BackUpTest, MakesTheRepositoryAndTheSnapshot) {
  std::vector<std::string> told;
  request.on_created = [&] { told.emplace_back("created"); };
  request.on_begin = [&] { told.emplace_back("begin"); };
  request.capture.on_shard = [&](const ShardReport&) { told.emplace_back("shard"); };
  const BackupResult result = run();
  EXPECT_EQ(told, (std::vector<std::string>{"created", "begin", "shard", "shard", "shard"}));
  EXPECT_FALSE(result.incomplete());
  EXPECT_EQ(result.captured.snapshot->dialect, "influxd 1.5+");
  EXPECT_EQ(test::snapshots_in(fresh)->snapshots.size(), 1u);
  request.on_created = [] { ADD_FAILURE() << "it is there"; };
  run();
}

TEST_F(BackUpTest, ABackupThatCannotBeginMakesNoRepository) {
  request.capture.filter.databases = {"nowhere"};
  EXPECT_THROW(run(), UsageError);
  EXPECT_FALSE(stdfs::exists(fresh));
}

TEST_F(BackUpTest, AnOldServerIsNotAskedForATimeRange) {
  fake.emplace(Dialect::k14);
  state.tell(*fake);
  request.endpoint = fake->endpoint();
  request.capture.filter.range = TimeRange{Timestamp{0}, Timestamp{1000}};
  EXPECT_THROW(run(), UsageError);
  EXPECT_FALSE(stdfs::exists(fresh));
}

TEST_F(BackUpTest, SaysWhatIsMissingAndWhatIsNot) {
  fake->answer_shard(1, {""});
  request.capture.accept_missing = {2, 99};
  const BackupResult result = run();
  EXPECT_TRUE(result.incomplete());
  EXPECT_EQ(result.not_missing, (std::vector<uint64_t>{2, 99}));
  request.capture.accept_missing = {1};
  const BackupResult accepted = run();
  EXPECT_FALSE(accepted.incomplete());
  EXPECT_TRUE(accepted.not_missing.empty());
}

}  // namespace
}  // namespace tsmfs::snapshot
