#include "snapshot/backup/late_points.h"

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "snapshot/backup/shard_fetcher.h"
#include "snapshot/influxdb/data_name.h"
#include "snapshot/intake/overlay.h"

namespace tsmfs::snapshot {

namespace {

constexpr int64_t kWriteOutNs = 120 * kNanosecondsPerSecond;  // what writing a cache takes at most
constexpr int64_t kLatelyNs = 600 * kNanosecondsPerSecond;    // also where clocks differ by minutes
constexpr size_t kMorePauses = 13;
constexpr size_t kProbesWhereTheyCost = 2;
constexpr int kWriteOuts = 2;

// A time that no point has.
constexpr TimeRange kNoTime{{kInfluxTimeMin}, {kInfluxTimeMin}};

enum class Seen { kWriteOut, kNone, kNoServer };

Seen seen_if(bool written_out) {
  return written_out ? Seen::kWriteOut : Seen::kNone;
}

// Whether the shard's cache was written out for a question that has just been asked.
Seen look_for_write_out(const InfluxdClient& client, const ShardPath& path,
                        std::chrono::milliseconds quick, bool probes) {
  try {
    const auto begin = std::chrono::steady_clock::now();
    if (!client.open_head(path, kInfluxTimeMax)) return Seen::kNone;
    if (client.dialect() == Dialect::k14) return Seen::kWriteOut;  // none is answered without it
    if (std::chrono::steady_clock::now() - begin < quick) return Seen::kWriteOut;
    return seen_if(probes && client.open_range(path, kNoTime));
  } catch (const ProtocolError&) {
    return Seen::kNoServer;
  }
}

}  // namespace

Timestamp newest_time(const std::vector<TreeEntry>& files) {
  Timestamp newest;
  for (const TreeEntry& file : files) newest = std::max(newest, file.mtime);
  return newest;
}

bool was_written_lately(const std::vector<TreeEntry>& files, Timestamp start) {
  return newest_time(files).unix_ns >= start.unix_ns - kLatelyNs;
}

bool wait_written_out(const InfluxdClient& client, const ShardPath& path, const CacheWait& wait,
                      const std::stop_token& stop) {
  auto pauses = wait.pauses;
  if (!pauses.empty()) pauses.insert(pauses.end(), kMorePauses, pauses.back());
  int write_outs = 0;
  size_t unanswered = 0;
  for (size_t round = 0;; ++round) {
    const bool probes = wait.probes || round < kProbesWhereTheyCost;
    const Seen seen = look_for_write_out(client, path, wait.quick, probes);
    unanswered = seen == Seen::kNoServer ? unanswered + 1 : 0;
    if (seen == Seen::kWriteOut) {
      if (++write_outs == kWriteOuts) return true;
      continue;
    }
    if (round >= pauses.size() || unanswered > wait.pauses.size()) return false;
    pause(pauses[round], stop);
  }
}

bool holds_tombstones(const std::vector<TreeEntry>& files) {
  return std::ranges::any_of(
      files, [](const TreeEntry& file) { return file.name.ends_with(kTombstoneEnding); });
}

Timestamp since_of_later(const std::vector<TreeEntry>& files, Timestamp start) {
  return shifted(std::min(newest_time(files), start), -kWriteOutNs);
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
