#include "snapshot/backup/late_points.h"

#include <algorithm>
#include <utility>

#include "snapshot/influxdb/data_name.h"
#include "snapshot/intake/overlay.h"

namespace tsmfs::snapshot {

namespace {

// Points can come that late; a cache is written out when nothing came for ten minutes.
constexpr int64_t kLateTimesNs = 3600 * kNanosecondsPerSecond;
constexpr int64_t kLateFilesNs = 600 * kNanosecondsPerSecond;

Timestamp newest(const std::vector<TreeEntry>& files) {
  Timestamp newest;
  for (const TreeEntry& file : files) newest = std::max(newest, file.mtime);
  return newest;
}

}  // namespace

bool was_written_lately(const ShardPath& path, const std::vector<TreeEntry>& files,
                        const Metastore& metastore, Timestamp start) {
  if (newest(files).unix_ns >= start.unix_ns - kLateFilesNs) return true;
  const auto place = metastore.find_shard(path.shard);
  return place && place->group->start <= start &&
         place->group->end.unix_ns >= start.unix_ns - kLateTimesNs;
}

Timestamp since_of_later(const std::vector<TreeEntry>& files, Timestamp start) {
  return shifted(std::min(newest(files), start), -kNanosecondsPerSecond);
}

void drop_known(const std::vector<TreeEntry>& files, std::vector<TreeEntry>& later) {
  std::erase_if(later, [&](const TreeEntry& file) {
    const auto same = std::ranges::find(files, file.name, &TreeEntry::name);
    return same != files.end() && (same->id == file.id || file.name.ends_with(".tsm"));
  });
  if (std::ranges::none_of(later, [](const auto& file) { return file.name.ends_with(".tsm"); }))
    later.clear();
}

bool holds_compactions(const std::vector<TreeEntry>& later) {
  return std::ranges::any_of(later, [](const TreeEntry& file) {
    const auto name = parse_tsm_name(file.name);
    return name && name->sequence > 1;
  });
}

std::optional<std::vector<TreeEntry>> lay_later_over(index::ObjectReader& objects,
                                                     const std::vector<TreeEntry>& files,
                                                     const std::vector<TreeEntry>& later) {
  Overlay overlay = lay_over(objects, files, later);
  if (!overlay.unexplained.empty()) return std::nullopt;
  return std::move(overlay.files);
}

}  // namespace tsmfs::snapshot
