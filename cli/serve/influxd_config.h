// The configuration of a past server: nothing in it reaches beyond this machine, or changes by
// itself what is looked at.
#pragma once

#include <filesystem>
#include <string>

#include "cli/serve/served_place.h"
#include "snapshot/server/endpoint.h"

namespace tsmfs::cli {

struct InfluxdSettings {
  snapshot::Endpoint http;       // where it answers
  snapshot::Endpoint snapshots;  // its snapshot service
  bool auth = false;             // users have to log in
  std::string index;             // "inmem", "tsi1"; empty: the operator's, or else inmem
  // An operator's influxdb.conf, whose limits are taken; empty: none.
  std::filesystem::path operator_config;
};

// influxdb.conf. Off are continuous queries, subscriptions, retention, precreation of shards, the
// server's monitoring of itself, reports to its makers, and all inputs but HTTP. Of the operator's
// file the tables data and coordinator are taken, and the limits of http, as far as they contradict
// none of this. Throws: UsageError when that is no TOML; IoError.
std::string influxd_config(const ServedPlace& place, const InfluxdSettings& settings);

inline constexpr const char* kLoopback = "127.0.0.1";  // the one address that it has
inline constexpr const char* kTsi1 = "tsi1";
// Which index the server will have of series: "inmem", "tsi1". Throws: as influxd_config().
std::string index_of(const InfluxdSettings& settings);

}  // namespace tsmfs::cli
