#include "snapshot/influxdb/tombstone.h"

#include "index/tsm/tsm_index.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

Tombstone read_tombstone(ByteStream& file, const std::string& object, TombstoneLimits limits) {
  Tombstone found;
  const auto note = [&](const TombstoneEntry& entry) {
    found.time_ranges |=
        entry.first_ns > kInfluxTimeMin.unix_ns || entry.last_ns < kInfluxTimeMax.unix_ns;
    std::string series(entry.key.substr(0, entry.key.find(index::kTsmFieldSeparator)));
    if (found.series.contains(series)) return true;
    if (found.series.size() == limits.series_max) return false;  // more would tell nothing new
    found.series.insert(std::move(series));
    return true;
  };
  const auto [version, whole] =
      read_tombstone_entries(file, object, limits.content_bytes_max, note);
  found.version = version;
  found.more_series = !whole;
  return found;
}

}  // namespace tsmfs::snapshot
