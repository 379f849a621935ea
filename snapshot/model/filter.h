// What of a server a snapshot is to hold.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

// The first and the last time that a point of InfluxDB can have (influxql's MinTime and MaxTime).
constexpr Timestamp kInfluxTimeMin{INT64_MIN + 2}, kInfluxTimeMax{INT64_MAX - 1};

// Points of a time range, as whole TSM blocks that overlap it.
struct TimeRange {
  Timestamp start;  // inclusive
  Timestamp end;    // inclusive
  bool operator==(const TimeRange&) const = default;
};

// Empty fields let everything through.
struct Filter {
  std::vector<std::string> databases;
  std::string policy;
  std::optional<uint64_t> shard;
  std::optional<TimeRange> range;
  bool metastore_only = false;

  bool operator==(const Filter&) const = default;
  bool is_everything() const { return *this == Filter(); }
  bool takes_database(std::string_view name) const;
  bool takes(std::string_view database_name, std::string_view policy_name, uint64_t number) const;
  bool takes(const ShardPath& path) const { return takes(path.database, path.policy, path.shard); }
  // "database telegraf, policy autogen"; empty for everything.
  std::string text() const;
  // "the metastore only", "only database telegraf"
  std::string only_text() const;
};

}  // namespace tsmfs::snapshot
