#include "snapshot/influxdb/shard_windows.h"

#include <algorithm>

#include "index/base/invariant.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

namespace {

constexpr int64_t kHourNs = 3600 * kNanosecondsPerSecond;
constexpr int64_t kDayNs = 24 * kHourNs;
constexpr int64_t kDaysMax = 3660;
constexpr int64_t kSecondsFromYearOneTo1970 = 62'135'596'800;

Timestamp duration_end(Timestamp time, int64_t duration_ns) {
  return shifted(duration_start(time, duration_ns), duration_ns);
}

bool fits(const std::vector<ShardWindow>& shards, int64_t duration_ns) {
  Timestamp reached = kInfluxTimeMin;
  for (const ShardWindow& shard : shards) {
    const Timestamp end = duration_end(shard.times.first, duration_ns);
    if (shard.times.last >= end || duration_start(shard.times.first, duration_ns) < reached)
      return false;
    reached = end;
  }
  return true;
}

// A round time behind `last`, if there is one, and not behind `first`.
Timestamp between(Timestamp last, Timestamp first) {
  for (const int64_t unit : {kDayNs, kHourNs, 60 * kNanosecondsPerSecond, kNanosecondsPerSecond}) {
    const Timestamp round = duration_start(first, unit);
    if (round > last) return round;
  }
  return first;
}

}  // namespace

// 64 bits do not hold the nanoseconds since the year 1.
Timestamp duration_start(Timestamp time, int64_t duration_ns) {
  require_invariant(duration_ns > 0, "a shard group lasts for a time");
  __extension__ using Wide = __int128;
  const Wide since = Wide{time.unix_ns} + Wide{kSecondsFromYearOneTo1970} * kNanosecondsPerSecond;
  return std::max(kInfluxTimeMin, shifted(time, -static_cast<int64_t>(since % duration_ns)));
}

std::optional<int64_t> fitting_duration(const std::vector<ShardWindow>& shards) {
  for (const int64_t customary : {7 * kDayNs, kDayNs, kHourNs})
    if (fits(shards, customary)) return customary;
  for (int64_t hours = 2; hours < 24; ++hours)
    if (fits(shards, hours * kHourNs)) return hours * kHourNs;
  for (int64_t days = 2; days <= kDaysMax; ++days)
    if (fits(shards, days * kDayNs)) return days * kDayNs;
  return std::nullopt;
}

void lay_out(std::vector<ShardWindow>& shards, int64_t duration_ns) {
  const ShardWindow* latest = nullptr;  // of those before, by its last point
  for (auto shard = shards.begin(); shard != shards.end(); ++shard) {
    shard->start = duration_start(shard->times.first, duration_ns);
    shard->end = duration_end(shard->times.last, duration_ns);
    shard->widened = shard->times.last >= shifted(shard->start, duration_ns);
    if (latest && shard->times.first <= latest->times.last) {
      shard->overlaps = true;
    } else if (latest) {
      const Timestamp border = between(latest->times.last, shard->times.first);
      for (auto before = shards.begin(); before != shard; ++before)
        if (before->end > shard->start) {
          before->end = std::min(before->end, border);
          shard->start = std::max(shard->start, before->end);
          before->cut = shard->cut = true;
        }
    }
    if (!latest || shard->times.last > latest->times.last) latest = &*shard;
  }
}

}  // namespace tsmfs::snapshot
