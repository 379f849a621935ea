// The points of one shard, as influxd has them once it has opened it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
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
  std::vector<SeriesId> series;                             // that have a point, each once
  std::vector<Problem> problems;
};

// Told a measurement as people write it.
using TakesMeasurement = std::function<bool(const std::string&)>;

// `digests` gives the ids of the series. Memory: as ShardKeys and KeyPoints, and 16 bytes a series.
// Requires: one of `files` is there. Throws: Cancelled, IoError.
ShardPoints count_shard_points(index::ObjectReader& objects, const ShardFiles& files,
                               const TakesMeasurement& takes, const index::DigestKey& digests,
                               const std::stop_token& stop);

}  // namespace tsmfs::snapshot
