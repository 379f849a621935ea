// Which points a snapshot holds, as influxd answers once it serves it: what a restored server can
// be compared with.
//
// A shard's points are the times of a series' field in its TSM files, each time once: of each file
// without those that its own tombstone deletes, and with those of the write-ahead log, in which
// deletes concern only what the log has written before. Shards do not know of each other: what two
// of them have counts twice.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/points/shard_points.h"

namespace tsmfs::snapshot {

// Of a field, over all series and shards: what SELECT count(f) FROM "db"."rp"."m" counts.
struct FieldPoints {
  uint64_t count = 0;
  int64_t first_ns = 0, last_ns = 0;  // nanoseconds since 1970, both inclusive
  // Points that InfluxQL shows to nobody, and `count` leaves out: where a field has one type in one
  // shard and another in another one, a query takes it as the first that there is of float,
  // integer, unsigned, string, boolean, and numbers alone can be taken as others.
  uint64_t of_other_types = 0;
  bool operator==(const FieldPoints&) const = default;
};

// By field, as it is.
using MeasurementPoints = std::map<std::string, FieldPoints>;

struct PolicyPoints {
  // By measurement, as people write it, without escapes. Only those that have points.
  std::map<std::string, MeasurementPoints> measurements;
  // Those with a backslash in front of a comma or a space: influxd lists them, and finds none of
  // their points.
  std::set<std::string> unfound;
  // "measurement,tags", over all shards: those that have a point left.
  uint64_t series = 0;
  // The sum of those of each shard: what SHOW SERIES EXACT CARDINALITY of 1.6 answers.
  uint64_t series_of_shards = 0;
};

struct StoredPoints {
  // By database and policy: all that have shards.
  std::map<std::pair<std::string, std::string>, PolicyPoints> policies;
  // By shard and file: what cannot be read, and is not counted, and what influxd may read in
  // another way. Without any, the counts are exact.
  std::vector<Problem> problems;
};

// Whether points of a measurement, as people write it, are counted; called from several threads.
using MeasurementFilter =
    std::function<bool(const ShardPath& shard, const std::string& measurement)>;

// The times of a shard's group, if they are known; called from several threads.
using GroupTimesOf = std::function<std::optional<GroupTimes>(const ShardPath& shard)>;

struct PointCounting {
  MeasurementFilter wanted;  // all, if it is empty; series are counted of all
  GroupTimesOf group_times;  // points outside of them are a problem; may be empty
  unsigned threads_max = 4;  // a shard is the work of one
};

// Reads the indexes, and of what is wanted each block that is not deleted as a whole, its CRC
// checked; of other measurements only what it takes to see that a series has a point. The answer
// does not depend on the threads. Memory: a thread what count_shard_points() needs
// (snapshot/points/shard_points.h); 16 bytes a series and shard for a while, then a series. Throws:
// Cancelled, IoError.
StoredPoints count_points(index::ObjectReader& objects, const std::vector<StoredShard>& data,
                          const std::vector<StoredShard>& wal, const PointCounting& counting,
                          const std::stop_token& stop);

}  // namespace tsmfs::snapshot
