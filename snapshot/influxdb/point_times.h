// The times of the points of stored shards, by the indexes of their TSM files and by their
// write-ahead log.
#pragma once

#include <stop_token>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/influxdb/derived_metastore.h"
#include "snapshot/model/stored_shards.h"

namespace tsmfs::snapshot {

struct PointTimes {
  TimesOfShards shards;         // each of those that were asked about
  std::vector<Problem> unread;  // files whose times are not known, or not all of them
};

// Deleted points count: a tombstone is not looked at. Throws: IoError, Cancelled.
PointTimes read_point_times(index::ObjectReader& objects, const std::vector<StoredShard>& data,
                            const std::vector<StoredShard>& wal, const std::stop_token& stop);

}  // namespace tsmfs::snapshot
