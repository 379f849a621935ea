#include "snapshot/influxdb/data_name.h"

#include <gtest/gtest.h>

namespace tsmfs::snapshot {
namespace {

TEST(TsmName, ReadsGenerationAndSequence) {
  EXPECT_EQ(parse_tsm_name("000000012-000000003.tsm")->generation, 12u);
  EXPECT_EQ(parse_tsm_name("000000012-000000003.tsm")->sequence, 3u);
  for (const char* name :
       {"", ".tsm", "1-.tsm", "-1.tsm", "a-1.tsm", "1-2.tombstone", "12.tsm", "1-2-3.tsm"})
    EXPECT_FALSE(parse_tsm_name(name)) << name;
}

}  // namespace
}  // namespace tsmfs::snapshot
