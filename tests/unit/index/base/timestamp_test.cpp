#include "index/base/timestamp.h"

#include <gtest/gtest.h>

#include "index/base/error.h"

namespace tsmfs {
namespace {

TEST(Timestamp, FormatsAndParses) {
  const Timestamp time{1454349756'000000007};
  EXPECT_EQ(format_rfc3339(time), "2016-02-01T18:02:36Z");
  EXPECT_EQ(format_rfc3339_ns(time), "2016-02-01T18:02:36.000000007Z");
  EXPECT_EQ(parse_rfc3339("2016-02-01T18:02:36.000000007Z"), time);
}

TEST(Timestamp, TakesOffsetsAndASpace) {
  const Timestamp time{1454349756'000000000};
  EXPECT_EQ(parse_rfc3339("2016-02-01T20:02:36+02:00"), time);
  EXPECT_EQ(parse_rfc3339("2016-02-01 18:02:36Z"), time);
  EXPECT_EQ(parse_rfc3339("2016-02-01T10:02:36-08:00"), time);
}

TEST(Timestamp, TakesFractionsOfUpToNineDigits) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:01.5Z").unix_ns, 1'500'000'000);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999999999Z").unix_ns, -1);
  EXPECT_EQ(parse_rfc3339("1970-01-01t00:00:00.000000001z").unix_ns, 1);
}

TEST(Timestamp, RejectsWhatIsNoTime) {
  for (const char* text :
       {"", "yesterday", "2016-02-01", "2016-13-01T00:00:00Z", "2016-02-01T18:02:36",
        "2016-02-01T18:02:36Zx", "2016-02-30T00:00:00Z", "2016-02-01T24:00:00Z",
        "2016-02-01T18:60:00Z", "2016-02-01T18:02:60Z", "2016-02-01T18:02:391000000000Z",
        "2016-2-1T18:02:36Z", "2016-02-01T18:02:36.Z", "2016-02-01T18:02:36.0000000001Z",
        "2016-02-01T18:02:36+24:00", "2016-02-01T18:02:36+0200", "+016-02-01T18:02:36Z",
        " 2016-02-01T18:02:36Z"})
    EXPECT_THROW(parse_rfc3339(text), UsageError) << text;
}

TEST(Timestamp, RejectsYearsThatDoNotFit) {
  for (const char* text :
       {"0000-01-01T00:00:00Z", "1677-09-21T00:12:43.145224191Z", "1677-09-21T00:12:43Z",
        "2262-04-11T23:47:16.854775808Z", "2262-04-11T23:47:17Z", "9999-12-31T23:59:59Z"})
    EXPECT_THROW(parse_rfc3339(text), UsageError) << text;
  for (const char* text : {"1678-01-01T00:00:00Z", "2261-12-31T23:59:59Z"})
    EXPECT_EQ(format_rfc3339(parse_rfc3339(text)), text);
}

TEST(Timestamp, FirstAndLastComeBack) {
  for (const char* text : {"1677-09-21T00:12:43.145224192Z", "1677-09-21T00:12:43.145224194Z",
                           "1969-12-31T23:59:59.000000001Z", "1970-01-01T00:00:00.000000000Z",
                           "2262-04-11T23:47:16.854775806Z", "2262-04-11T23:47:16.854775807Z"})
    EXPECT_EQ(format_rfc3339_ns(parse_rfc3339(text)), text);
  EXPECT_EQ(parse_rfc3339("1677-09-21T00:12:43.145224192Z").unix_ns, INT64_MIN);
  EXPECT_EQ(parse_rfc3339("2262-04-11T23:47:16.854775807Z").unix_ns, INT64_MAX);
  EXPECT_EQ(format_rfc3339({INT64_MIN}), "1677-09-21T00:12:43Z");
}

TEST(Timestamp, ShiftedStopsAtTheEnds) {
  EXPECT_EQ(shifted({5}, -7).unix_ns, -2);
  EXPECT_EQ(shifted({INT64_MIN + 1}, -2).unix_ns, INT64_MIN);
  EXPECT_EQ(shifted({INT64_MAX - 1}, 2).unix_ns, INT64_MAX);
}

TEST(Timestamp, BeforeTheEpoch) {
  EXPECT_EQ(format_rfc3339(Timestamp{-1}), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace tsmfs
