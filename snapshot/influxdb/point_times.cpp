#include "snapshot/influxdb/point_times.h"

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "index/repository/stored_source.h"
#include "index/tsm/tsm_summary.h"
#include "snapshot/influxdb/wal_times.h"

namespace tsmfs::snapshot {

namespace {

struct FileTimes {
  std::optional<ShardTimes> points;
  bool whole = true;
};

FileTimes times_of(index::ObjectReader& objects, const TreeEntry& file) {
  index::StoredSource source(objects.open_file(file.file()));
  if (file.name.ends_with(".wal")) {
    const WalTimes found = read_wal_times(source);
    return {found.points, found.whole};
  }
  const auto found = index::summarize_tsm(source);
  if (!found) return {std::nullopt, false};
  return {ShardTimes{{found->min_time_ns}, {found->max_time_ns}}, true};
}

void widen(std::optional<ShardTimes>& times, const ShardTimes& by) {
  if (!times) times = by;
  times->first = std::min(times->first, by.first);
  times->last = std::max(times->last, by.last);
}

class Reading {
 public:
  Reading(index::ObjectReader& objects, const std::stop_token& stop)
      : objects_(objects), stop_(stop) {}

  void read(const std::vector<StoredShard>& shards) {
    for (const StoredShard& shard : shards) {
      auto& times = result_.shards[shard.path];
      for (const TreeEntry& file : shard.files)
        if (file.name.ends_with(".tsm") || file.name.ends_with(".wal"))
          read_file(shard.path, file, times);
    }
  }
  PointTimes take() { return std::move(result_); }

 private:
  void read_file(const ShardPath& path, const TreeEntry& file, std::optional<ShardTimes>& times) {
    if (stop_.stop_requested()) throw Cancelled();
    FileTimes found{std::nullopt, false};
    try {
      found = times_of(objects_, file);
    } catch (const CorruptError&) {
      // damage of the repository, which whoever reads the file says
    }
    if (found.points) widen(times, *found.points);
    if (!found.whole)
      result_.unread.push_back({Problem::Severity::kWarning, path.text() + "/" + file.name.text(),
                                "cannot be read to its end: times of its points may be unknown to "
                                "the derived metastore"});
  }

  index::ObjectReader& objects_;
  const std::stop_token& stop_;
  PointTimes result_;
};

}  // namespace

PointTimes read_point_times(index::ObjectReader& objects, const std::vector<StoredShard>& data,
                            const std::vector<StoredShard>& wal, const std::stop_token& stop) {
  Reading reading(objects, stop);
  reading.read(data);
  reading.read(wal);
  return reading.take();
}

}  // namespace tsmfs::snapshot
