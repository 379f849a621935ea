#include "snapshot/server/endpoint.h"

#include <gtest/gtest.h>

#include "index/base/error.h"

namespace tsmfs::snapshot {
namespace {

TEST(Endpoint, ReadsAllForms) {
  EXPECT_EQ(parse_endpoint("influx.example"), (Endpoint{"influx.example", 8088}));
  EXPECT_EQ(parse_endpoint("influx.example:9999"), (Endpoint{"influx.example", 9999}));
  EXPECT_EQ(parse_endpoint("10.0.0.1:1"), (Endpoint{"10.0.0.1", 1}));
  EXPECT_EQ(parse_endpoint("[::1]"), (Endpoint{"::1", 8088}));
  EXPECT_EQ(parse_endpoint("[fe80::1%eth0]:65535"), (Endpoint{"fe80::1%eth0", 65535}));
}

TEST(Endpoint, WritesWhatItReads) {
  for (const char* text : {"host:8088", "[::1]:9", "127.0.0.1:65535"})
    EXPECT_EQ(parse_endpoint(text).text(), text);
}

TEST(Endpoint, RefusesOtherForms) {
  for (const char* text :
       {"",          ":8088",    "host:",    "host:0",      "host:65536",       "host:99999999999",
        "host:80x",  "host:-1",  "host: 80", "::1",         "::1:8088",         "[::1",
        "[::1]8088", "[::1]:",   "[]:8088",  "[host]:8088", "http://host:8088", "host/path",
        "a b:1",     "user@host"})
    EXPECT_THROW(parse_endpoint(text), UsageError) << text;
  EXPECT_THROW(parse_endpoint(std::string("ho\0st", 5)), UsageError);
  EXPECT_THROW(parse_endpoint(std::string(300, 'h')), UsageError);
}

}  // namespace
}  // namespace tsmfs::snapshot
