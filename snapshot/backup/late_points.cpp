#include "snapshot/backup/late_points.h"

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "snapshot/influxdb/data_name.h"
#include "snapshot/intake/overlay.h"

namespace tsmfs::snapshot {

namespace {

constexpr int64_t kWriteOutNs = 120 * kNanosecondsPerSecond;  // what writing a cache takes at most
constexpr size_t kMorePauses = 13;

// A time that no point has.
constexpr TimeRange kNoTime{{kInfluxTimeMin}, {kInfluxTimeMin}};

Timestamp newest(const std::vector<TreeEntry>& files) {
  Timestamp newest;
  for (const TreeEntry& file : files) newest = std::max(newest, file.mtime);
  return newest;
}

}  // namespace

std::vector<std::chrono::milliseconds> cache_pauses(std::vector<std::chrono::milliseconds> pauses) {
  if (!pauses.empty()) pauses.insert(pauses.end(), kMorePauses, pauses.back());
  return pauses;
}

bool is_written_out(const InfluxdClient& client, const ShardPath& path) {
  try {
    return client.open_range(path, kNoTime) != nullptr;
  } catch (const ProtocolError&) {
    return false;
  }
}

bool holds_tombstones(const std::vector<TreeEntry>& files) {
  return std::ranges::any_of(
      files, [](const TreeEntry& file) { return file.name.ends_with(kTombstoneEnding); });
}

Timestamp since_of_later(const std::vector<TreeEntry>& files, Timestamp start) {
  return shifted(std::min(newest(files), start), -kWriteOutNs);
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
