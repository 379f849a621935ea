// A metastore for shards of which no metastore is left: databases and policies by the names of
// their directories, shard groups by the times of their points.
//
// It has what a server needs to answer from the shards. What only a metastore knows is lost: users,
// continuous queries, subscriptions, and how long a policy keeps its points (here: for ever).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

// Of a shard's points, both inclusive.
struct ShardTimes {
  Timestamp first;
  Timestamp last;
  bool operator==(const ShardTimes&) const = default;
};

// By shard; nothing for one whose times are not known.
using TimesOfShards = std::map<ShardPath, std::optional<ShardTimes>>;

struct DerivedMetastore {
  std::string protobuf;  // a meta.db
  // What a person should know, all of it warnings: of each policy its shard duration and what of
  // its groups is not as a server makes them, and the shards that are in no group.
  std::vector<Problem> notes;
};

constexpr int64_t kShardDurationMinNs = int64_t{3600} * 1'000'000'000;  // as influxd's

// `duration_ns` is every policy's shard duration; without it each gets one that its shards fit:
// 168 hours, 24 hours, 1 hour, or else the smallest. A group is made wider than the duration
// for a shard whose points need that, and cut where two shards lie in one duration. `autogen`, or
// else the policy of the first name, becomes the default. Shards keep their numbers. Equal input
// gives equal bytes. Requires: *duration_ns >= kShardDurationMinNs. Throws: UsageError when two
// shards have one number.
DerivedMetastore derive_metastore(const TimesOfShards& shards, std::optional<int64_t> duration_ns);

// "168h", "7d", "2w", "1h30m", as InfluxQL has it. Throws: UsageError for what is no length of
// time, and for one of less than kShardDurationMinNs.
int64_t parse_shard_duration(const std::string& text);

}  // namespace tsmfs::snapshot
