#include "index/base/point_in_time.h"

#include <string>

#include "index/base/calendar_span.h"
#include "index/base/error.h"

namespace tsmfs {

namespace {

constexpr std::string_view kAgo = "-ago";
constexpr size_t kDateLength = std::string_view("2016-02-01").size();
constexpr size_t kMinuteLength = std::string_view("2016-02-01T18:02").size();
constexpr size_t kSecondLength = std::string_view("2016-02-01T18:02:36").size();
constexpr int64_t kRestOfSecondNs = 999'999'999;

}  // namespace

std::optional<Timestamp> parse_point_in_time(std::string_view text, Timestamp now) try {
  if (text == "now") return now;
  if (text.ends_with(kAgo)) {
    text.remove_suffix(kAgo.size());
    return CalendarSpan::parse(text).before(now);
  }
  if (text.size() == kDateLength) return parse_rfc3339(std::string(text) + "T23:59:59.999999999Z");
  // Without a zone it is UTC, as the names of snapshots are.
  if (text.size() == kMinuteLength) return parse_rfc3339(std::string(text) + ":59.999999999Z");
  const Timestamp time =
      text.size() == kSecondLength ? parse_rfc3339(std::string(text) + "Z") : parse_rfc3339(text);
  return text.find('.') == std::string_view::npos ? shifted(time, kRestOfSecondNs) : time;
} catch (const UsageError&) {
  return std::nullopt;
}

}  // namespace tsmfs
