#include "index/base/calendar_span.h"

#include <gtest/gtest.h>

#include "index/base/error.h"

namespace tsmfs {
namespace {

TEST(CalendarSpan, IsReadAndCountedByTheCalendar) {
  const auto back = [](const char* span, const char* from) {
    return format_rfc3339(CalendarSpan::parse(span).before(parse_rfc3339(from)));
  };
  EXPECT_EQ(back("1m", "2026-03-31T01:00:00Z"), "2026-02-28T01:00:00Z");
  EXPECT_EQ(back("1y", "2024-02-29T00:00:00Z"), "2023-02-28T00:00:00Z");
  EXPECT_EQ(back("1w2d25h", "2026-01-20T00:00:00Z"), "2026-01-09T23:00:00Z");
  EXPECT_LT(CalendarSpan::parse("9999y").before(parse_rfc3339("2026-01-01T00:00:00Z")),
            parse_rfc3339("1700-01-01T00:00:00Z"));
  for (const char* bad : {"", "1", "d", "1x", "1d1d", "-1d", "99999999999d", "1 d"})
    EXPECT_THROW(CalendarSpan::parse(bad), UsageError) << bad;
}

}  // namespace
}  // namespace tsmfs
