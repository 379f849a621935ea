// The times of the points in a segment of InfluxDB's write-ahead log.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/wal.go. Entries, each a type byte (1 write, 2 and 3
// deletes), a length (4, big-endian) and that many bytes, compressed with snappy. A write holds,
// for each key, a type byte (1 float, 2 integer, 3 boolean, 4 string, 5 unsigned), the key's length
// (2) and the key, a count (4), and as often a time (8, nanoseconds) and a value: 8 bytes, 1 for a
// boolean, a length (4) and the text for a string. All big-endian.
#pragma once

#include <cstdint>
#include <optional>

#include "index/format/byte_source.h"
#include "index/tsm/tsm_fields.h"
#include "snapshot/influxdb/derived_metastore.h"

namespace tsmfs::snapshot {

// influxd's batches have a few MB.
constexpr uint64_t kWalEntryBytesMax = uint64_t{256} << 20;

struct WalTimes {
  std::optional<ShardTimes> points;  // nothing when no point was written
  // False when an entry cannot be read; as influxd does, nothing behind it is looked at. A server
  // that was killed leaves such an end.
  bool whole = true;
};

// Deletes are not looked at. Adds to `fields`, if it is not null, the types of the points' fields.
// Memory: an entry, compressed and not. Throws: what `source` throws.
WalTimes read_wal_times(index::ByteSource& source, index::TsmFieldTypes* fields = nullptr);

}  // namespace tsmfs::snapshot
