#include "snapshot/points/stored_points.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <set>

#include "index/base/mutex.h"
#include "index/base/share_work.h"
#include "snapshot/points/series_set.h"

namespace tsmfs::snapshot {

namespace {

using ShardsByPath = std::map<ShardPath, ShardFiles>;
using PolicyName = std::pair<std::string, std::string>;

constexpr std::initializer_list<uint8_t> kNumbers = {index::kTsmFloatType, index::kTsmIntegerType,
                                                     index::kTsmUnsignedType};

// As influxdb/tsdb/shard.go (MapType) and engine.go (buildCursor) have it, 1.4 to 1.11.
FieldPoints as_seen_by_queries(const PointsByType& by_type) {
  CountedPoints seen, all;
  for (const CountedPoints& points : by_type) all.add(points);
  for (const uint8_t type : kNumbers) seen.add(by_type[type]);
  if (seen.count == 0) seen = by_type[index::kTsmStringType];
  if (seen.count == 0) seen = by_type[index::kTsmBooleanType];
  return {seen.count, seen.first_ns, seen.last_ns, all.count - seen.count};
}

ShardsByPath by_path(const std::vector<StoredShard>& data, const std::vector<StoredShard>& wal) {
  ShardsByPath shards;
  for (const StoredShard& shard : data) shards[shard.path].data = &shard;
  for (const StoredShard& shard : wal) shards[shard.path].log = &shard;
  return shards;
}

uint64_t bytes_of(const ShardFiles& files) {
  return (files.data ? files.data->bytes : 0) + (files.log ? files.log->bytes : 0);
}

// What all shards add to. Thread safe, but for finish().
class Sums {
 public:
  explicit Sums(const ShardsByPath& shards) {
    for (const auto& [path, files] : shards) {
      policies_[{path.database, path.policy}];
      series_[{path.database, path.policy}];
    }
  }

  void add(const ShardPath& path, ShardPoints points) {
    const MutexLock lock(mutex_);
    auto& policy = policies_[{path.database, path.policy}];
    for (const auto& [measurement, fields] : points.measurements)
      for (const auto& [field, by_type] : fields)
        for (size_t type = 0; type < kTsmTypes; ++type)
          policy[measurement][field][type].add(by_type[type]);
    unfound_[{path.database, path.policy}].merge(points.unfound);
    series_of_shards_[{path.database, path.policy}] += points.series.size();
    series_[{path.database, path.policy}].add(points.series);
    problems_[path] = std::move(points.problems);
  }

  StoredPoints finish() {
    const MutexLock lock(mutex_);
    StoredPoints result;
    for (const auto& [name, measurements] : policies_) {
      PolicyPoints& policy = result.policies[name];
      for (const auto& [measurement, fields] : measurements)
        for (const auto& [field, by_type] : fields)
          policy.measurements[measurement][field] = as_seen_by_queries(by_type);
    }
    for (auto& [name, series] : series_) result.policies[name].series = series.size();
    for (const auto& [name, count] : series_of_shards_)
      result.policies[name].series_of_shards = count;
    for (auto& [name, measurements] : unfound_)
      result.policies[name].unfound = std::move(measurements);
    for (auto& [path, problems] : problems_)
      std::ranges::move(problems, std::back_inserter(result.problems));
    return result;
  }

 private:
  Mutex mutex_;
  std::map<PolicyName, std::map<std::string, FieldsOfMeasurement>> policies_
      TSMFS_GUARDED_BY(mutex_);
  std::map<PolicyName, std::set<std::string>> unfound_ TSMFS_GUARDED_BY(mutex_);
  std::map<PolicyName, uint64_t> series_of_shards_ TSMFS_GUARDED_BY(mutex_);
  std::map<PolicyName, SeriesSet> series_ TSMFS_GUARDED_BY(mutex_);
  std::map<ShardPath, std::vector<Problem>> problems_ TSMFS_GUARDED_BY(mutex_);
};

}  // namespace

StoredPoints count_points(index::ObjectReader& objects, const std::vector<StoredShard>& data,
                          const std::vector<StoredShard>& wal, const PointCounting& counting,
                          const std::stop_token& stop) {
  const ShardsByPath shards = by_path(data, wal);
  const index::DigestKey digests = index::DigestKey::random();
  Sums sums(shards);
  std::vector<ShardsByPath::const_iterator> largest_first;
  for (auto shard = shards.begin(); shard != shards.end(); ++shard) largest_first.push_back(shard);
  std::ranges::stable_sort(largest_first, std::greater(),
                           [](const auto& shard) { return bytes_of(shard->second); });
  share_work(largest_first.size(), counting.threads_max, stop, [&](SharedWork& work) {
    while (const auto piece = work.take()) {
      const auto& [path, files] = *largest_first[*piece];
      const TakesMeasurement takes = [&, &path = path](const std::string& measurement) {
        return !counting.wanted || counting.wanted(path, measurement);
      };
      const auto group =
          counting.group_times ? counting.group_times(path) : std::optional<GroupTimes>();
      sums.add(path, count_shard_points(objects, files, takes, group, digests, work.stop()));
    }
  });
  return sums.finish();
}

}  // namespace tsmfs::snapshot
