// Lengths of time as people give them: so many months, days, hours.
#pragma once

#include <string_view>

#include "index/base/timestamp.h"

namespace tsmfs {

// A length of calendar time.
struct CalendarSpan {
  int years = 0, months = 0, days = 0, hours = 0;
  // "2y5m7d3h", "3w", in any order, each unit once. Throws: UsageError.
  static CalendarSpan parse(std::string_view text);
  Timestamp before(Timestamp time) const;
};

}  // namespace tsmfs
