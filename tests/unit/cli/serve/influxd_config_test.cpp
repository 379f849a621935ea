#include "cli/serve/influxd_config.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <string>

#include "index/base/error.h"
#include "index/base/file.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::cli {
namespace {

class InfluxdConfigTest : public testing::Test {
 protected:
  InfluxdConfigTest() {
    settings.http = {kLoopback, 8087};
    settings.snapshots = {kLoopback, 8089};
  }
  toml::table config() const { return toml::parse(influxd_config(place, settings)); }
  void operator_config(const std::string& text) {
    settings.operator_config = dir / "influxdb.conf";
    const Fd file = open_file(settings.operator_config, O_WRONLY | O_CREAT | O_TRUNC);
    write_all(file, as_bytes(text), settings.operator_config);
  }

  test::TempDir dir;
  ServedPlace place = ServedPlace::kept(dir / "it's a \"place\"");
  InfluxdSettings settings;
};

TEST_F(InfluxdConfigTest, NothingOfThePastActs) {
  const toml::table made = config();
  for (const char* off : {"retention", "shard-precreation", "subscriber", "continuous_queries"})
    EXPECT_EQ(made[off]["enabled"].value<bool>(), false) << off;
  for (const char* input : {"graphite", "collectd", "opentsdb", "udp"})
    EXPECT_EQ(made[input][0]["enabled"].value<bool>(), false) << input;
  EXPECT_EQ(made["monitor"]["store-enabled"].value<bool>(), false);
  EXPECT_EQ(made["reporting-disabled"].value<bool>(), true);
  EXPECT_EQ(made["bind-address"].value<std::string>(), "127.0.0.1:8089");
  EXPECT_EQ(made["http"]["bind-address"].value<std::string>(), "127.0.0.1:8087");
  EXPECT_EQ(made["data"]["dir"].value<std::string>(), place.data().string());
  EXPECT_EQ(made["data"]["index-version"].value<std::string>(), "inmem");
}

TEST_F(InfluxdConfigTest, OfAnOperatorsItTakesTheLimitsOnly) {
  operator_config(R"(
bind-address = "0.0.0.0:8088"
[meta]
  dir = "/var/lib/influxdb/meta"
[data]
  dir = "/var/lib/influxdb/data"
  max-series-per-database = 77
  index-version = "tsi1"
[coordinator]
  max-select-series = 5
[retention]
  enabled = true
[subscriber]
  enabled = true
[http]
  bind-address = ":8086"
  https-enabled = true
  https-certificate = "/etc/ssl/influxdb.pem"
  unix-socket-enabled = true
  access-log-path = "/var/log/access"
  max-row-limit = 9
[[graphite]]
  enabled = true
[[udp]]
  enabled = true
[something-new]
  enabled = true
)");
  const toml::table made = config();
  EXPECT_EQ(made["data"]["max-series-per-database"].value<int64_t>(), 77);
  EXPECT_EQ(made["data"]["index-version"].value<std::string>(), kTsi1);
  EXPECT_EQ(made["coordinator"]["max-select-series"].value<int64_t>(), 5);
  EXPECT_EQ(made["http"]["max-row-limit"].value<int64_t>(), 9);
  EXPECT_EQ(made["data"]["dir"].value<std::string>(), place.data().string());
  EXPECT_EQ(made["meta"]["dir"].value<std::string>(), place.meta().string());
  EXPECT_EQ(made["bind-address"].value<std::string>(), "127.0.0.1:8089");
  EXPECT_EQ(made["http"]["bind-address"].value<std::string>(), "127.0.0.1:8087");
  EXPECT_EQ(made["http"]["https-enabled"].value<bool>(), false);
  EXPECT_EQ(made["http"]["unix-socket-enabled"].value<bool>(), false);
  EXPECT_FALSE(made["http"]["access-log-path"]);
  EXPECT_EQ(made["subscriber"]["enabled"].value<bool>(), false);
  EXPECT_EQ(made["retention"]["enabled"].value<bool>(), false);
  EXPECT_EQ(made["graphite"].as_array()->size(), 1u);
  EXPECT_EQ(made["graphite"][0]["enabled"].value<bool>(), false);
  EXPECT_FALSE(made["something-new"]);
}

TEST_F(InfluxdConfigTest, TheIndexThatIsAskedForCountsForMoreThanTheOperators) {
  operator_config("[data]\nindex-version = \"tsi1\"\n");
  EXPECT_EQ(index_of(settings), kTsi1);
  settings.index = "inmem";
  EXPECT_EQ(index_of(settings), "inmem");
  EXPECT_EQ(config()["data"]["index-version"].value<std::string>(), "inmem");
}

TEST_F(InfluxdConfigTest, WhatIsNoTomlIsNamedWithItsLine) {
  operator_config("[data]\n\n = nothing\n");
  try {
    config();
    FAIL() << "it was taken";
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("line 3"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tsmfs::cli
