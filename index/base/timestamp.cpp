#include "index/base/timestamp.h"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

#include "index/base/error.h"
#include "index/base/sys_time.h"

namespace tsmfs {

namespace {

// Takes a time apart, front to back. The date library's own parser takes numbers that are too long
// for it, with an overflow.
class PartReader {
 public:
  explicit PartReader(std::string_view text) : rest_(text) {}
  // Whether every part was there, and nothing behind the last.
  bool fitted() const { return fits_ && rest_.empty(); }
  // Of exactly `digits` digits.
  int number(size_t digits) {
    int value = 0;
    for (size_t i = 0; i < digits; ++i) value = value * 10 + (one_of("0123456789") - '0');
    return value;
  }
  char one_of(std::string_view allowed) {
    const char c = rest_.empty() ? '\0' : rest_.front();
    if (rest_.empty() || allowed.find(c) == std::string_view::npos) {
      fits_ = false;
      return allowed.front();
    }
    rest_.remove_prefix(1);
    return c;
  }
  // "." and one to nine digits, or nothing.
  int fraction_ns() {
    if (!rest_.starts_with('.')) return 0;
    rest_.remove_prefix(1);
    const size_t digits =
        std::min(rest_.find_first_not_of("0123456789"), std::min(rest_.size(), kFractionDigitsMax));
    if (digits == 0) fits_ = false;
    int value = number(digits);
    for (size_t i = digits; i < kFractionDigitsMax; ++i) value *= 10;
    return value;
  }
  // "Z", or "+" or "-", hours and minutes.
  int zone_minutes() {
    const char sign = one_of("Zz+-");
    if (sign == 'Z' || sign == 'z') return 0;
    const int hours = number(2);
    one_of(":");
    const int minutes = number(2);
    if (hours > 23 || minutes > 59) fits_ = false;
    return (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
  }

 private:
  static constexpr size_t kFractionDigitsMax = 9;
  std::string_view rest_;
  bool fits_ = true;
};

}  // namespace

Timestamp now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count()};
}

std::string format_rfc3339(Timestamp time) {
  return date::format("%Y-%m-%dT%H:%M:%SZ", date::floor<std::chrono::seconds>(to_sys(time)));
}

std::string format_utc(Timestamp time, const std::string& format) {
  const std::time_t seconds =
      date::floor<std::chrono::seconds>(to_sys(time)).time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 256> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format.c_str(), &parts)};
}

std::string format_rfc3339_ns(Timestamp time) {
  // The fraction by itself: the first day that 64 bits reach begins before they do.
  const int64_t fraction =
      (time.unix_ns % kNanosecondsPerSecond + kNanosecondsPerSecond) % kNanosecondsPerSecond;
  return fmt::format(
      "{}.{:09}Z",
      date::format("%Y-%m-%dT%H:%M:%S", date::floor<std::chrono::seconds>(to_sys(time))), fraction);
}

Timestamp parse_rfc3339(std::string_view text) {
  PartReader parts(text);
  const int year = parts.number(4);
  parts.one_of("-");
  const int month = parts.number(2);
  parts.one_of("-");
  const int day = parts.number(2);
  parts.one_of("Tt ");
  const int hour = parts.number(2);
  parts.one_of(":");
  const int minute = parts.number(2);
  parts.one_of(":");
  const int second = parts.number(2);
  const int64_t fraction = parts.fraction_ns();
  const std::chrono::minutes offset(parts.zone_minutes());
  const auto date = date::year(year) / month / day;
  if (!parts.fitted() || !date.ok() || hour > 23 || minute > 59 || second > 59)
    throw UsageError("'" + std::string(text) + "' is not a time",
                     "write it as RFC 3339, for instance 2016-02-01T18:02:36Z or "
                     "2016-02-01T20:02:36+02:00");
  const date::sys_seconds whole = date::sys_days(date) + std::chrono::hours(hour) +
                                  std::chrono::minutes(minute) + std::chrono::seconds(second) -
                                  offset;
  // Both parts with one sign, so that the sum goes out of range with the time only.
  const int64_t up = whole.time_since_epoch().count() < 0 ? 1 : 0;
  int64_t ns = 0;
  if (__builtin_mul_overflow(int64_t{whole.time_since_epoch().count()} + up, kNanosecondsPerSecond,
                             &ns) ||
      __builtin_add_overflow(ns, fraction - up * kNanosecondsPerSecond, &ns))
    throw UsageError("'" + std::string(text) + "' is out of range",
                     "name a year from 1678 to 2261");
  return {ns};
}

}  // namespace tsmfs
