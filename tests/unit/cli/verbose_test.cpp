// --verbose shows what the debug log says, and of one command only.
#include <gtest/gtest.h>

#include "index/base/log.h"
#include "tests/unit/command_fixture.h"

namespace tsmfs::cli {
namespace {

class VerboseTest : public CommandTest {
 protected:
  static std::string logged() {
    testing::internal::CaptureStderr();
    log::debug("the newest recipe is gone");
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(VerboseTest, DebugLinesAreShownWhenTheyAreAskedFor) {
  back_up();
  tsmfs({"check", "--verbose"});
  EXPECT_EQ(logged(), "the newest recipe is gone\n");
  tsmfs({"snapshots", "-v"});
  EXPECT_EQ(logged(), "the newest recipe is gone\n");
  tsmfs({"snapshots"});
  EXPECT_EQ(logged(), "");
}

}  // namespace
}  // namespace tsmfs::cli
