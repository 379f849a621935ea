// The time ranges of a policy's shard groups, from the times of their points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "snapshot/influxdb/derived_metastore.h"

namespace tsmfs::snapshot {

// A shard, and the range of its group.
struct ShardWindow {
  uint64_t shard = 0;
  ShardTimes times;
  Timestamp start;        // inclusive
  Timestamp end;          // exclusive
  bool widened = false;   // its points need more than one duration
  bool cut = false;       // another shard lies in the same duration
  bool overlaps = false;  // another shard has points of these times, too
};

// The beginning of the duration that a time lies in. As Go's time.Truncate, they count from the
// first day of the year 1, a Monday. Requires: duration_ns > 0.
Timestamp duration_start(Timestamp time, int64_t duration_ns);

// The shard duration with which each shard has a duration of its own, and all its points in it: 168
// hours, 24 hours or 1 hour, the first that does, or else the smallest of whole hours up to a day
// or whole days up to ten years; nothing when there is none. Requires: sorted by times.first.
std::optional<int64_t> fitting_duration(const std::vector<ShardWindow>& shards);

// Gives each its group's range. Only groups of shards whose points overlap do so. Requires: sorted
// by times.first; duration_ns > 0.
void lay_out(std::vector<ShardWindow>& shards, int64_t duration_ns);

}  // namespace tsmfs::snapshot
