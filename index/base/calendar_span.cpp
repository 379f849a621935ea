#include "index/base/calendar_span.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <limits>
#include <string>

#include "index/base/error.h"
#include "index/base/sys_time.h"

namespace tsmfs {

namespace {

namespace chrono = std::chrono;

constexpr int kSpanPartMax = 10'000;
constexpr std::string_view kSpanAdvice = "give a time such as 2y5m7d3h or 3w";

}  // namespace

CalendarSpan CalendarSpan::parse(std::string_view text) {
  CalendarSpan span;
  std::string seen;
  std::string_view rest = text;
  while (!rest.empty()) {
    int count = -1;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const char unit = rest.empty() ? '\0' : rest.front();
    const bool sound = error == std::errc() && count >= 0 && count <= kSpanPartMax;
    if (!sound || seen.find(unit) != std::string::npos || unit == '\0')
      throw UsageError(fmt::format("'{}' is no length of time", text), std::string(kSpanAdvice));
    seen += unit;
    rest.remove_prefix(1);
    switch (unit) {
      case 'y':
        span.years = count;
        break;
      case 'm':
        span.months = count;
        break;
      case 'w':
        span.days += 7 * count;
        break;
      case 'd':
        span.days += count;
        break;
      case 'h':
        span.hours = count;
        break;
      default:
        throw UsageError(fmt::format("'{}' is no length of time", text), std::string(kSpanAdvice));
    }
  }
  if (seen.empty()) throw UsageError("an empty length of time", std::string(kSpanAdvice));
  return span;
}

Timestamp CalendarSpan::before(Timestamp time) const {
  const SysTime from = to_sys(time);
  const auto day = chrono::floor<chrono::days>(from);
  const auto within_day = from - day;
  chrono::year_month_day date(day);
  date -= chrono::years(years);
  date -= chrono::months(months);
  if (!date.ok()) date = date.year() / date.month() / chrono::last;  // 31 March less a month
  // Far back, as far as 64 bits of nanoseconds reach.
  if (date.year() < chrono::year(1700)) return {std::numeric_limits<int64_t>::min()};
  const chrono::sys_days start =
      chrono::sys_days(date) - chrono::days(days) - chrono::days(hours / 24);
  if (start < chrono::sys_days(chrono::year(1700) / 1 / 1))
    return {std::numeric_limits<int64_t>::min()};
  const SysTime result = SysTime(start) + within_day - chrono::hours(hours % 24);
  return {result.time_since_epoch().count()};
}

}  // namespace tsmfs
