#include "snapshot/influxdb/unopenable.h"

#include <gtest/gtest.h>

#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

TEST(TsmName, IsTwoNumbersBeforeTheFirstDot) {
  for (const char* name : {"000000001-000000001.tsm", "1-2.tsm", "4294967295-0.tsm",
                           "000000001-000000001.copy.tsm", "x.tombstone", "x.tsm.tmp", "README"})
    EXPECT_FALSE(why_name_refused(name, 9)) << name;
  for (const char* name :
       {"000000003-000000001 2.tsm", "000000003.tsm", "a-1.tsm", "1-a.tsm", "-1-2.tsm", "+1-2.tsm",
        "1-.tsm", "4294967296-1.tsm", ".tsm", "1-2-3.tsm"})
    EXPECT_TRUE(why_name_refused(name, 9)) << name;
  EXPECT_TRUE(why_name_refused("000000001-000000001.tsm", 0));
  EXPECT_FALSE(why_name_refused("000000001-000000001.tombstone", 0));
}

class UnopenableTest : public BackupTest {};

TEST_F(UnopenableTest, ABackupNamesThem) {
  ServerState state = sample_state();
  state.shards[{"db", "rp", 1}]["000000003-000000001 2.tsm"] = tsm(5, 6);
  state.shards[{"db", "rp", 1}]["000000004-000000001.tsm"] = "";
  state.tell(*fake);
  const SnapshotPtr snapshot = back_up();
  const auto& problems = snapshot->problems;
  EXPECT_TRUE(has_problem(problems, Problem::Severity::kWarning,
                          "db/rp/1/000000003-000000001 2.tsm", "influxd does not open"));
  EXPECT_TRUE(has_problem(problems, Problem::Severity::kWarning, "db/rp/1/000000004-000000001.tsm",
                          "is empty"));
}

}  // namespace
}  // namespace tsmfs::snapshot
