#include "fs/history_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <utility>
#include <vector>

#include "fs/list_view.h"
#include "index/base/log.h"
#include "snapshot/model/wholeness.h"

namespace tsmfs::fs {
namespace {

int64_t steady_now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The list directory that a snapshot's root stands in.
Inode list_of(const Inode& snapshot_root, const ShownSnapshot& shown) {
  const bool in_host = snapshot_root.in_host();
  return {in_host ? View::kHost : View::kTop, in_host ? shown.host : 0,
          ordinal_of({ListKind::kSection, snapshot_root.section()})};
}

void log_new_problems(const SnapshotNames& fresh, const SnapshotNames* last) {
  for (const std::string& problem : fresh.problems()) {
    const bool known = last != nullptr && std::ranges::count(last->problems(), problem) > 0;
    if (!known) log::warning("{}", problem);
  }
}

}  // namespace

HistoryView::NamesPtr HistoryView::read_names() {
  const int64_t now_ns = steady_now_ns();
  const auto state = catalog_.refresh();
  NamesPtr last;
  {
    MutexLock lock(mutex_);
    last = names_;
    if (last != nullptr && last->generation() == state->generation) {
      read_at_ns_ = now_ns;
      return last;
    }
  }
  auto fresh = std::make_shared<const SnapshotNames>(state, time_format_, last.get());
  log_new_problems(*fresh, last.get());
  MutexLock lock(mutex_);
  names_ = fresh;
  read_at_ns_ = now_ns;
  return fresh;
}

HistoryView::NamesPtr HistoryView::names() {
  {
    MutexLock lock(mutex_);
    if (names_ != nullptr) return names_;
  }
  MutexLock reading(refreshing_);
  {
    MutexLock lock(mutex_);
    if (names_ != nullptr) return names_;
  }
  return read_names();
}

HistoryView::NamesPtr HistoryView::fresh_names() {
  const auto young = [this]() -> NamesPtr {
    MutexLock lock(mutex_);
    const bool is_young = names_ != nullptr && steady_now_ns() - read_at_ns_ < kRefreshIntervalNs;
    return is_young ? names_ : nullptr;
  };
  if (NamesPtr names = young()) return names;
  MutexLock reading(refreshing_);
  if (NamesPtr names = young()) return names;
  return read_names();
}

const ShownSnapshot* HistoryView::find_snapshot(const Inode& inode, NamesPtr& names) {
  names = this->names();
  const ShownSnapshot* shown = names->find(inode.snapshot);
  if (shown == nullptr) {
    names = fresh_names();
    shown = names->find(inode.snapshot);
  }
  const bool has_section =
      shown != nullptr && (inode.section() != Section::kWal || shown->snapshot->wal);
  return has_section ? shown : nullptr;
}

std::optional<Node> HistoryView::node(const Inode& inode) {
  if (inode.is_list()) return ListView(*fresh_names()).node(inode);
  NamesPtr names;
  const ShownSnapshot* shown = find_snapshot(inode, names);
  if (shown == nullptr) return std::nullopt;
  return SnapshotView(*shown, inode, trees_).node(inode.ordinal);
}

std::optional<LookupResult> HistoryView::lookup(const Inode& directory, std::string_view name) {
  if (name == "." || name == "..") {
    const auto target = name == "." ? directory : parent(directory);
    const auto found = target ? node(*target) : std::nullopt;
    if (!found) return std::nullopt;
    return LookupResult{found, false};
  }
  if (directory.is_list()) return lookup_in_list(directory, name);
  NamesPtr names;
  const ShownSnapshot* shown = find_snapshot(directory, names);
  if (shown == nullptr) return std::nullopt;
  return SnapshotView(*shown, directory, trees_).lookup(directory.ordinal, name);
}

std::optional<LookupResult> HistoryView::lookup_in_list(const Inode& directory,
                                                        std::string_view name) {
  const NamesPtr names = fresh_names();
  const ListView lists(*names);
  if (!lists.node(directory)) return std::nullopt;
  const auto target = lists.find(directory, name);
  if (!target) return LookupResult{};
  if (target->is_list()) return LookupResult{lists.node(*target), false};
  return LookupResult{
      SnapshotView(*names->find(target->snapshot), *target, trees_).node(target->ordinal), false};
}

bool HistoryView::list(const Inode& directory, uint64_t cookie, Detail detail,
                       const ListVisitor& visit) {
  if (directory.is_list()) {
    const NamesPtr names = fresh_names();
    const ListView lists(*names);
    const auto node = lists.node(directory);
    if (!node || node->kind != NodeKind::kDirectory) return false;
    lists.list(directory, cookie, visit);
    return true;
  }
  NamesPtr names;
  const ShownSnapshot* shown = find_snapshot(directory, names);
  const auto up = parent(directory);
  if (shown == nullptr || !up) return false;
  return SnapshotView(*shown, directory, trees_)
      .list(directory.ordinal, cookie, detail, *up, visit);
}

std::optional<std::string> HistoryView::read_link(const Inode& inode) {
  if (!inode.is_list()) return std::nullopt;
  return ListView(*fresh_names()).read_link(inode);
}

std::optional<FileContent> HistoryView::file(const Inode& inode) {
  if (inode.is_list()) return std::nullopt;
  NamesPtr names;
  const ShownSnapshot* shown = find_snapshot(inode, names);
  if (shown == nullptr) return std::nullopt;
  return SnapshotView(*shown, inode, trees_).file(inode.ordinal);
}

snapshot::SnapshotPtr HistoryView::snapshot(const Inode& inode) {
  if (inode.is_list()) return nullptr;
  NamesPtr names;
  const ShownSnapshot* shown = find_snapshot(inode, names);
  return shown == nullptr ? nullptr : shown->snapshot;
}

std::string HistoryView::newer(const Inode& inode) {
  NamesPtr names;
  const ShownSnapshot* shown = inode.is_list() ? nullptr : find_snapshot(inode, names);
  if (shown == nullptr) return {};
  std::vector<const ShownSnapshot*> found;
  for (const size_t i : names->find_host(shown->host)->snapshots) {
    const ShownSnapshot& other = names->all()[i];
    if (other.snapshot->time > shown->snapshot->time) found.push_back(&other);
  }
  std::ranges::sort(found, std::ranges::greater(),
                    [](const ShownSnapshot* other) { return other->snapshot->time; });
  if (found.size() > kNewerShownMax) found.resize(kNewerShownMax);
  std::string text;
  for (const ShownSnapshot* other : found)
    text += fmt::format("{} {}\n", other->name, snapshot::lacks_text(*other->snapshot, {}));
  return text;
}

snapshot::SnapshotPtr HistoryView::first_with(const Inode& inode) {
  const auto content = file(inode);
  NamesPtr names;
  const ShownSnapshot* first = content ? find_snapshot(inode, names) : nullptr;
  if (first == nullptr) return nullptr;
  const auto path = SnapshotView(*first, inode, trees_).path(inode.ordinal);
  if (!path) return nullptr;
  const Section section =
      inode.section() == Section::kChanges ? Section::kBackups : inode.section();
  while (first->previous != nullptr) {
    const ShownSnapshot* before = names->find(first->previous->number);
    if (before == nullptr) break;
    const auto there = file_at(*before, section, *path);
    if (!there || there->id != content->id) break;
    first = before;
  }
  return first->snapshot;
}

std::optional<FileContent> HistoryView::file_at(const ShownSnapshot& shown, Section section,
                                                std::string_view path) {
  if (section == Section::kWal && !shown.snapshot->wal) return std::nullopt;
  const Inode root{view_of(section, false), shown.snapshot->number, 0};
  const SnapshotView view(shown, root, trees_);
  uint32_t at = root.ordinal;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    const auto found = view.lookup(at, path.substr(0, end));
    if (!found || !found->node) return std::nullopt;
    at = found->node->inode.ordinal;
    path.remove_prefix(end);
  }
  return view.file(at);
}

HistoryTotals HistoryView::totals() {
  const NamesPtr names = fresh_names();
  return {names->total_bytes(), names->total_files()};
}

std::optional<Inode> HistoryView::parent(const Inode& inode) {
  if (inode.is_list()) return ListView(*names()).parent(inode);
  NamesPtr names;
  const ShownSnapshot* shown = find_snapshot(inode, names);
  if (shown == nullptr) return std::nullopt;
  if (inode.ordinal == 0) return list_of(inode, *shown);
  const auto ordinal = SnapshotView(*shown, inode, trees_).parent(inode.ordinal);
  if (!ordinal) return std::nullopt;
  return Inode{inode.view, inode.snapshot, *ordinal};
}

std::string HistoryView::path(const Inode& inode) {
  NamesPtr names;
  if (inode.is_list()) {
    names = this->names();
    const std::string path = ListView(*names).path(inode);
    return path.empty() ? "/" : path;
  }
  const ShownSnapshot* shown = find_snapshot(inode, names);
  if (shown == nullptr) return {};
  const std::string above = ListView(*names).path(list_of(inode, *shown)) + "/" + shown->name;
  std::string below;
  try {
    below = SnapshotView(*shown, inode, trees_).path(inode.ordinal).value_or("/?");
  } catch (const std::exception&) {
    below = "/?";  // a damaged tree is what messages are about
  }
  return fmt::format("{}{} (snapshot {})", above, below, shown->snapshot->short_id());
}

std::string HistoryView::describe(const Inode& inode) noexcept try {
  return path(inode);
} catch (...) {
  return {};
}

}  // namespace tsmfs::fs
