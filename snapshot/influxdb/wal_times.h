// The times of the points in a segment of InfluxDB's write-ahead log.
#pragma once

#include <cstdint>
#include <optional>

#include "index/format/byte_source.h"
#include "index/tsm/tsm_fields.h"
#include "snapshot/influxdb/derived_metastore.h"

namespace tsmfs::snapshot {

struct WalTimes {
  std::optional<ShardTimes> points;  // nothing when no point was written
  // False when an entry cannot be read: only what is before it counts.
  bool whole = true;
};

// Points count that the log deletes again. Adds to `fields`, if it is not null, the types of the
// points' fields. Memory: as read_wal_entries() (wal_entries.h). Throws: what `source` throws.
WalTimes read_wal_times(index::ByteSource& source, index::TsmFieldTypes* fields = nullptr);

}  // namespace tsmfs::snapshot
