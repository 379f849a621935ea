#include "snapshot/model/shard_path.h"

#include <gtest/gtest.h>

namespace tsmfs::snapshot {
namespace {

TEST(ShardPath, ReadsDotsAndSpacesInNames) {
  const auto path = parse_shard_path("my.db 1/two weeks.v2/10");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->database, "my.db 1");
  EXPECT_EQ(path->policy, "two weeks.v2");
  EXPECT_EQ(path->shard, 10u);
  EXPECT_EQ(path->text(), "my.db 1/two weeks.v2/10");
}

TEST(ShardPath, ReadsTheLargestNumber) {
  EXPECT_EQ(parse_shard_path("d/r/18446744073709551615")->shard, UINT64_MAX);
}

TEST(ShardPath, RefusesOtherForms) {
  for (const char* text : {"",          "/",
                           "//",        "///",
                           "1",         "db/1",
                           "db/rp/",    "db/rp/x",
                           "db/rp/-1",  "db/rp/+1",
                           "db/rp/ 1",  "db/rp/1 ",
                           "db/rp/007", "db/rp/18446744073709551616",
                           "db/rp/1/",  "/rp/1",
                           "db//1",     "/db/rp/1",
                           "a/db/rp/1", "../rp/1",
                           "db/../1",   "./rp/1",
                           "db/./1",    "../../etc/1"})
    EXPECT_FALSE(parse_shard_path(text)) << text;
  EXPECT_FALSE(parse_shard_path(std::string("d\0b/rp/1", 8)));
  EXPECT_FALSE(parse_shard_path(std::string(256, 'x') + "/rp/1"));
  EXPECT_TRUE(parse_shard_path(std::string(255, 'x') + "/rp/1"));
}

}  // namespace
}  // namespace tsmfs::snapshot
