#include "index/base/log.h"

#include <gtest/gtest.h>

namespace tsmfs {
namespace {

TEST(Log, ShowsWhatATerminalWouldObeyAndSetsLinesOff) {
  testing::internal::CaptureStderr();
  log::warning("pack {} is gone", "q\x1b[31m\u009b\ntsmfs: all is well");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "tsmfs: warning: pack q\\x1b[31m\\u009b\n  tsmfs: all is well is gone\n");
}

}  // namespace
}  // namespace tsmfs
