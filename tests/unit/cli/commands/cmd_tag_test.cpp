#include <gtest/gtest.h>

#include "tests/unit/command_fixture.h"

namespace tsmfs::cli {
namespace {

class TagTest : public CommandTest {};

TEST_F(TagTest, RemovingATagThatNothingHasIsRefused) {
  const auto one = add(100, "db1"), other = add(200, "db1");
  tsmfs({"tag", "add", "monday", one->short_id()});
  EXPECT_TRUE(tsmfs({"tag", "remove", "Monday", one->short_id()}, ExitCode::kUsage)
                  .says("does not have the tag 'Monday'"));
  EXPECT_TRUE(
      tsmfs({"tag", "remove", "friday", one->short_id(), other->short_id()}, ExitCode::kUsage)
          .says("none of the 2 snapshots has the tag 'friday'"));
}

TEST_F(TagTest, ASnapshotThatIsNamedTwiceIsTaggedOnce) {
  const auto one = add(100, "db1");
  tsmfs({"tag", "add", "monday", "latest", one->short_id()});
  EXPECT_EQ(snapshots()->snapshots.front()->tags, std::vector<std::string>{"monday"});
}

TEST_F(TagTest, WhatHasTheTagAlreadyOrHasItNotIsNamed) {
  const auto one = add(100, "db1"), other = add(200, "db1");
  tsmfs({"tag", "add", "monday", one->short_id()});
  EXPECT_TRUE(tsmfs({"tag", "add", "monday", one->short_id()}).says("has already the tag"));
  const Said said = tsmfs({"tag", "remove", "monday", one->short_id(), other->short_id()});
  EXPECT_TRUE(said.says(other->short_id() + " does not have the tag 'monday'")) << said.err;
  EXPECT_FALSE(snapshots()->snapshots.front()->has_tag("monday"));
}

}  // namespace
}  // namespace tsmfs::cli
