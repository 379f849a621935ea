// What a .tombstone file of InfluxDB 1.x says was deleted, in short.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "snapshot/influxdb/tombstone_entries.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

struct TombstoneLimits {
  size_t series_max = 3;  // named; of others it is only said that there are more
  uint64_t content_bytes_max = uint64_t{16} << 20;  // read, decompressed
};

struct Tombstone {
  unsigned version = 0;  // 0 for an empty file
  // "measurement,tags" without the field, at most series_max of them.
  std::set<std::string> series;
  // Some of what was read deletes the points of a time range, not all of a series.
  bool time_ranges = false;
  bool more_series = false;  // than are named, or the limit of bytes was met
  bool empty() const { return series.empty() && !more_series; }
};

// Not more is read than the limits need. Throws: TombstoneError, naming `object`, when the file is
// malformed or ends early; what the stream throws.
Tombstone read_tombstone(ByteStream& file, const std::string& object, TombstoneLimits limits = {});

}  // namespace tsmfs::snapshot
