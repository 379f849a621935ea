// A Timestamp for what calculates with dates: the standard library's calendar, or date's.
#pragma once

#include <chrono>

#include "index/base/timestamp.h"

namespace tsmfs {

using SysTime = std::chrono::sys_time<std::chrono::nanoseconds>;

inline SysTime to_sys(Timestamp time) {
  return SysTime(std::chrono::nanoseconds(time.unix_ns));
}

}  // namespace tsmfs
