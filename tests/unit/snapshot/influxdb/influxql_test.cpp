#include "snapshot/influxdb/influxql.h"

#include <gtest/gtest.h>

namespace tsmfs::snapshot {
namespace {

TEST(Influxql, ANameIsWrittenSoThatTheLanguageReadsIt) {
  EXPECT_EQ(influxql_identifier("a\"b\\\n'c"), "\"a\\\"b\\\\\\n'c\"");
  EXPECT_EQ(influxql_string("a\"b'"), "'a\"b\\''");
  EXPECT_EQ(influxql_measurement("cpu load"), "\"cpu load\"");
  EXPECT_EQ(influxql_field("usage"), "\"usage\"::field");
}

// With influxd 1.6.7: a text in quotes ends at a NUL, and has a line feed for a carriage return.
TEST(Influxql, ANameThatNoTextCanHaveIsAnExpression) {
  EXPECT_EQ(influxql_measurement(std::string_view("a\0b", 3)), "/^a\\x00b$/");
  EXPECT_EQ(influxql_field("\u00e4.*/\r"), "/^\u00e4\\x2e\\x2a\\x2f\\x0d$/");
}

TEST(Influxql, SomeNamesAreTheLanguagesOwn) {
  EXPECT_TRUE(is_measurement_of_influxql("_series"));
  EXPECT_FALSE(is_measurement_of_influxql("series"));
  EXPECT_TRUE(is_field_of_influxql("_name"));
  EXPECT_FALSE(is_field_of_influxql("_tags"));
}

}  // namespace
}  // namespace tsmfs::snapshot
