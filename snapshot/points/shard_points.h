// The points of one shard, as influxd has them once it has opened it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "index/format/digest.h"
#include "index/repository/object_reader.h"
#include "snapshot/model/manifest.h"
#include "snapshot/points/key_points.h"
#include "snapshot/points/shard_keys.h"

namespace tsmfs::snapshot {

using SeriesId = index::Id<struct SeriesTag>;  // digest of "measurement,tags"

constexpr size_t kTsmTypes = index::kTsmUnsignedType + 1;
// By the type of the field, as of a TSM block: a shard has one, its neighbour may have another.
using PointsByType = std::array<CountedPoints, kTsmTypes>;
using FieldsOfMeasurement = std::map<std::string, PointsByType, std::less<>>;

struct ShardPoints {
  std::map<std::string, FieldsOfMeasurement> measurements;  // those wanted that have points
  std::set<std::string> unfound;  // those wanted in which no query finds a point, and none counts
  std::vector<SeriesId> series;   // that have a point, each once
  std::vector<Problem> problems;
};

// Told a measurement as people write it.
using TakesMeasurement = std::function<bool(const std::string&)>;

// The times of a shard's group, nanoseconds since 1970. A query that names a time looks only into
// the shards whose group has it.
struct GroupTimes {
  int64_t start_ns = 0;  // inclusive
  int64_t end_ns = 0;    // exclusive
  // A start before the earliest time there is has become one behind the latest (Go, UnixNano).
  bool has(const CountedPoints& points) const {
    return points.last_ns < end_ns && (points.first_ns >= start_ns || start_ns > end_ns);
  }
};

// `digests` gives the ids of the series. What lies outside of `group` is a problem, and counts.
// Memory: as ShardKeys and KeyPoints, and 16 bytes a series. Requires: one of `files` is there.
// Throws: Cancelled, IoError.
ShardPoints count_shard_points(index::ObjectReader& objects, const ShardFiles& files,
                               const TakesMeasurement& takes,
                               const std::optional<GroupTimes>& group,
                               const index::DigestKey& digests, const std::stop_token& stop);

}  // namespace tsmfs::snapshot
