#include "index/base/timestamp.h"

#include <date/date.h>

#include <chrono>
#include <sstream>

#include "index/base/error.h"

namespace tsmfs {

namespace {

using SysNs = date::sys_time<std::chrono::nanoseconds>;

// The whole years that 64 bits of nanoseconds can hold.
constexpr date::year kYearMin{1678}, kYearMax{2261};

SysNs to_sys(Timestamp time) {
  return SysNs(std::chrono::nanoseconds(time.unix_ns));
}

}  // namespace

Timestamp now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count()};
}

std::string format_rfc3339(Timestamp time) {
  return date::format("%Y-%m-%dT%H:%M:%SZ", date::floor<std::chrono::seconds>(to_sys(time)));
}

std::string format_rfc3339_ns(Timestamp time) {
  return date::format("%Y-%m-%dT%H:%M:%SZ", to_sys(time));
}

Timestamp parse_rfc3339(std::string_view text) {
  std::string normal(text);
  if (normal.size() > 10 && normal[10] == ' ') normal[10] = 'T';
  if (!normal.empty() && (normal.back() == 'Z' || normal.back() == 'z')) {
    normal.pop_back();
    normal += "+00:00";
  }
  std::istringstream in(normal);
  date::fields<std::chrono::nanoseconds> parsed;
  std::chrono::minutes offset{};
  date::from_stream(in, "%Y-%m-%dT%H:%M:%S%Ez", parsed, static_cast<std::string*>(nullptr),
                    &offset);
  const bool whole = !in.fail() && in.peek() == std::istringstream::traits_type::eof();
  if (!whole || !parsed.ymd.ok() || !parsed.tod.in_conventional_range())
    throw UsageError("'" + std::string(text) + "' is not a time",
                     "write it as RFC 3339, for instance 2016-02-01T18:02:36Z or "
                     "2016-02-01T20:02:36+02:00");
  if (parsed.ymd.year() < kYearMin || parsed.ymd.year() > kYearMax)
    throw UsageError("'" + std::string(text) + "' is out of range",
                     "name a year from 1678 to 2261");
  const SysNs time = date::sys_days(parsed.ymd) + parsed.tod.to_duration() - offset;
  return {time.time_since_epoch().count()};
}

}  // namespace tsmfs
