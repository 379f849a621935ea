#include "index/base/owner.h"

#include <gtest/gtest.h>

#include "index/base/error.h"

namespace tsmfs {
namespace {

TEST(Owner, IsAUserAGroupOrBothByNumberOrName) {
  const Owner both = parse_owner("1234:4321");
  EXPECT_EQ(both.user, 1234u);
  EXPECT_EQ(both.group, 4321u);
  const Owner group = parse_owner(":77");
  EXPECT_FALSE(group.user);
  EXPECT_EQ(group.group, 77u);
  EXPECT_EQ(parse_owner("root:root").group, 0u);
}

TEST(Owner, AUserAloneBringsItsOwnGroup) {
  EXPECT_EQ(parse_owner("root").user, 0u);
  EXPECT_EQ(parse_owner("root").group, 0u);
  EXPECT_EQ(parse_owner("0").group, 0u);
  EXPECT_EQ(parse_owner("3999999999").user, 3999999999u);
  EXPECT_FALSE(parse_owner("3999999999").group) << "nobody knows that user";
}

TEST(Owner, RefusesWhatThisMachineDoesNotKnow) {
  for (const char* text :
       {"", ":", "no-such-user-here", "root:no-such-group-here", "4294967295", ":4294967295"})
    EXPECT_THROW(parse_owner(text), UsageError) << text;
}

}  // namespace
}  // namespace tsmfs
