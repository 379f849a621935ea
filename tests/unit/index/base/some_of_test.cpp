#include "index/base/some_of.h"

#include <gtest/gtest.h>

#include <vector>

namespace tsmfs {
namespace {

TEST(SomeOf, SaysHowManyAreNotShown) {
  const std::vector<std::string> names = {"a", "b", "c"};
  EXPECT_EQ(some_of(names, 2), "a, b and 1 more");
  EXPECT_EQ(some_of(names, 3), "a, b, c");
  EXPECT_EQ(some_of({}, 3), "");
  EXPECT_EQ(and_more(3, "shards"), "and 3 shards more");
}

}  // namespace
}  // namespace tsmfs
