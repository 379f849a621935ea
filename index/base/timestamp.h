// Instants as nanoseconds since 1970 (UTC), and their RFC 3339 form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tsmfs {

struct Timestamp {
  int64_t unix_ns = 0;
  auto operator<=>(const Timestamp&) const = default;
};

Timestamp now();
// "2016-02-01T18:02:36Z"
std::string format_rfc3339(Timestamp time);
// In UTC, by a format of strftime(3). Empty when it makes nothing, or more than 255 bytes.
std::string format_utc(Timestamp time, const std::string& format);
// "2016-02-01T18:02:36.000000007Z"
std::string format_rfc3339_ns(Timestamp time);
// Takes "T" or a space between date and time, a fraction of up to nine digits, "Z" or an offset
// such as "+02:00"; years from 1678 to 2261. Throws: UsageError.
Timestamp parse_rfc3339(std::string_view text);

}  // namespace tsmfs
