// Instants as nanoseconds since 1970 (UTC), and their RFC 3339 form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tsmfs {

inline constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

struct Timestamp {
  int64_t unix_ns = 0;
  auto operator<=>(const Timestamp&) const = default;
};

// `ns` later, or earlier; the end of what 64 bits hold when it would be behind that: times come
// from outside.
inline Timestamp shifted(Timestamp time, int64_t ns) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(time.unix_ns, ns, &sum)) return {sum};
  return {ns < 0 ? INT64_MIN : INT64_MAX};
}

Timestamp now();
// "2016-02-01T18:02:36Z"
std::string format_rfc3339(Timestamp time);
// In UTC, by a format of strftime(3). Empty when it makes nothing, or more than 255 bytes.
std::string format_utc(Timestamp time, const std::string& format);
// "2016-02-01T18:02:36.000000007Z"
std::string format_rfc3339_ns(Timestamp time);
// Takes "T" or a space between date and time, a fraction of up to nine digits, "Z" or an offset
// such as "+02:00"; times that 64 bits of nanoseconds can hold, in 1677 to 2262. Throws:
// UsageError.
Timestamp parse_rfc3339(std::string_view text);

}  // namespace tsmfs
