#include "fs/snapshot_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "fs/inode.h"
#include "index/base/timestamp.h"
#include "snapshot/model/wholeness.h"

namespace tsmfs::fs {
namespace {

using snapshot::Manifest;

// Why a snapshot has no place in the mount; empty when it has.
std::string obstacle(const Manifest& manifest) {
  if (manifest.number > Inode::kSnapshotMax) return "its number is too high for an inode number";
  if (manifest.data_below > Inode::kOrdinalMax || manifest.meta_below > Inode::kOrdinalMax ||
      manifest.wal_below > Inode::kOrdinalMax) {
    return "it has more files than inode numbers can tell apart";
  }
  if (!is_valid_name(manifest.server)) return "its server's name cannot be a directory's";
  return {};
}

constexpr size_t kNone = std::numeric_limits<size_t>::max();

}  // namespace

SnapshotNames::SnapshotNames(std::shared_ptr<const snapshot::CatalogState> state,
                             const std::string& time_format, const SnapshotNames* last)
    : state_(std::move(state)), problems_(state_->damaged) {
  problems_.insert(problems_.end(), state_->doubts.begin(), state_->doubts.end());
  if (last != nullptr) given_ = last->given_;
  take_snapshots();
  find_previous();
  group_by_host();
  for (ShownSnapshot& shown : all_) {
    const ShownSnapshot* before = last ? last->find(shown.snapshot->number) : nullptr;
    if (before && before->snapshot->id == shown.snapshot->id) shown.name = before->name;
  }
  name_snapshots(time_format);
  index_names();
}

void SnapshotNames::take_snapshots() {
  std::set<uint32_t> numbers;
  for (const snapshot::SnapshotPtr& snapshot : state_->snapshots) {
    std::string why_not = obstacle(*snapshot);
    if (why_not.empty() && !numbers.insert(snapshot->number).second) {
      why_not = fmt::format("another snapshot has its number, {}", snapshot->number);
    }
    if (!why_not.empty()) {
      problems_.push_back(
          fmt::format("snapshot {} is not shown: {}", snapshot->short_id(), why_not));
      continue;
    }
    total_bytes_ += snapshot->bytes;
    total_files_ += snapshot->files;
    all_.push_back({snapshot, nullptr, {}, 0});
  }
}

// In order of numbers: of those that earlier programs published, the first has the name alone.
void SnapshotNames::name_snapshots(const std::string& time_format) {
  for (ShownSnapshot& shown : all_) {
    if (!shown.name.empty()) continue;
    shown.name = name_of(*shown.snapshot, time_format);
    given_.emplace(shown.name, shown.snapshot->id);
  }
}

std::string SnapshotNames::name_of(const Manifest& manifest, const std::string& time_format) const {
  std::string name = format_utc(manifest.time, time_format);
  const auto is_same = [&](const std::optional<Timestamp>& time) {
    return time && format_utc(*time, time_format) == name;
  };
  const std::string number = fmt::format("-{}", manifest.number);
  if (manifest.neighbours &&
      (is_same(manifest.neighbours->earlier) || is_same(manifest.neighbours->later)))
    name += number;
  while (given_.contains(name)) name += number;
  return name;
}

// Requires: all_ is still in the catalog's order, by time.
void SnapshotNames::find_previous() {
  std::unordered_map<index::SnapshotId, size_t, index::IdHash> by_id;
  for (size_t i = 0; i < all_.size(); ++i) by_id.emplace(all_[i].snapshot->id, i);
  std::unordered_map<std::string_view, snapshot::SnapshotPtr> last_of_server;
  for (ShownSnapshot& shown : all_) {
    const Manifest& manifest = *shown.snapshot;
    snapshot::SnapshotPtr& last = last_of_server[manifest.server];
    const auto parent = manifest.parent ? by_id.find(*manifest.parent) : by_id.end();
    shown.previous = parent != by_id.end() ? all_[parent->second].snapshot : last;
    last = shown.snapshot;
  }
}

// Brings all_ into the order of numbers and remembers that of time in by_time_.
void SnapshotNames::group_by_host() {
  std::vector<const Manifest*> by_time;
  for (const ShownSnapshot& shown : all_) by_time.push_back(shown.snapshot.get());
  const auto number = [](const ShownSnapshot& shown) { return shown.snapshot->number; };
  std::ranges::sort(all_, {}, number);
  for (size_t i = 0; i < all_.size(); ++i) {
    const std::string& server = all_[i].snapshot->server;
    const auto [found, is_new] = host_by_name_.emplace(server, hosts_.size());
    if (is_new) hosts_.push_back({server, number(all_[i]), {}, kNone, kNone});
    hosts_[found->second].snapshots.push_back(i);
    all_[i].host = hosts_[found->second].oldest;
  }
  for (const Manifest* manifest : by_time) {
    const auto place = std::ranges::lower_bound(all_, manifest->number, {}, number);
    by_time_.push_back(static_cast<size_t>(place - all_.begin()));
    ShownHost& host = hosts_[host_by_name_.at(manifest->server)];
    const auto take_better = [&](size_t& best, bool is_first) {
      if (is_first || snapshot::rank_of(*all_[best].snapshot) <= snapshot::rank_of(*manifest))
        best = by_time_.back();
    };
    take_better(newest_whole_, by_time_.size() == 1);
    take_better(host.newest_whole, std::exchange(host.newest, by_time_.back()) == kNone);
  }
}

// Requires: all_ is complete, since the keys are views of its strings.
void SnapshotNames::index_names() {
  for (size_t i = 0; i < all_.size(); ++i) by_name_.emplace(all_[i].name, i);
}

const ShownSnapshot* SnapshotNames::newest(const ShownHost* host) const {
  if (host != nullptr) return &all_[host->newest];
  return by_time_.empty() ? nullptr : &all_[by_time_.back()];
}

const ShownSnapshot* SnapshotNames::newest_whole(const ShownHost* host) const {
  if (host != nullptr) return &all_[host->newest_whole];
  return by_time_.empty() ? nullptr : &all_[newest_whole_];
}

const ShownSnapshot* SnapshotNames::newest_whole_until(Timestamp time,
                                                       const ShownHost* host) const {
  const auto time_of = [this](size_t i) { return all_[i].snapshot->time; };
  auto end = std::ranges::upper_bound(by_time_, time, {}, time_of);
  const ShownSnapshot* best = nullptr;
  while (end != by_time_.begin()) {
    const ShownSnapshot& shown = all_[*--end];
    if (host != nullptr && shown.host != host->oldest) continue;
    if (best == nullptr || snapshot::rank_of(*best->snapshot) < snapshot::rank_of(*shown.snapshot))
      best = &shown;
    if (snapshot::rank_of(*best->snapshot) == snapshot::kRankMax) break;
  }
  return best;
}

const ShownSnapshot* SnapshotNames::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &all_[found->second];
}

const ShownSnapshot* SnapshotNames::find(uint32_t number) const {
  const auto number_of = [](const ShownSnapshot& shown) { return shown.snapshot->number; };
  const auto found = std::ranges::lower_bound(all_, number, {}, number_of);
  return found == all_.end() || number_of(*found) != number ? nullptr : &*found;
}

const ShownHost* SnapshotNames::find_host(std::string_view name) const {
  const auto found = host_by_name_.find(name);
  return found == host_by_name_.end() ? nullptr : &hosts_[found->second];
}

const ShownHost* SnapshotNames::find_host(uint32_t oldest) const {
  const auto found = std::ranges::lower_bound(hosts_, oldest, {}, &ShownHost::oldest);
  return found == hosts_.end() || found->oldest != oldest ? nullptr : &*found;
}

}  // namespace tsmfs::fs
