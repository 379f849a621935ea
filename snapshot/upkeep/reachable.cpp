#include "snapshot/upkeep/reachable.h"

#include <fmt/format.h>

#include "index/base/damage.h"
#include "index/base/error.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

class ReachableWalk {
 public:
  ReachableWalk(index::ObjectReader& objects, const std::stop_token& stop)
      : objects_(objects), stop_(stop) {}

  void follow(const Manifest& snapshot) {
    snapshot_ = &snapshot;
    add(snapshot.data);
    add(snapshot.meta);
    if (snapshot.wal) add(*snapshot.wal);
    while (!waiting_.empty()) {
      const index::TreeId id = waiting_.back();
      waiting_.pop_back();
      read(id);
    }
  }
  Reachable take() { return std::move(found_); }

 private:
  void add(const index::TreeId& id) {
    if (found_.trees.insert(id).second) waiting_.push_back(id);
  }

  void read(const index::TreeId& id) {
    if (stop_.stop_requested()) throw Cancelled();
    const auto damage = find_damage([&] {
      const Tree tree = read_tree(objects_, id);
      for (const TreeEntry& entry : tree.entries()) {
        if (entry.kind == EntryKind::kDirectory)
          add(entry.directory());
        else
          found_.files.insert(entry.file());
      }
    });
    if (!damage) return;
    found_.may_come_back |= damage->may_come_back;
    found_.unreadable.push_back(
        fmt::format("snapshot {}: {}", snapshot_->short_id(), damage->what));
  }

  index::ObjectReader& objects_;
  const std::stop_token& stop_;
  const Manifest* snapshot_ = nullptr;
  std::vector<index::TreeId> waiting_;
  Reachable found_;
};

}  // namespace

Reachable find_reachable(index::ObjectReader& objects, const CatalogState& state,
                         const std::stop_token& stop) {
  ReachableWalk walk(objects, stop);
  for (const SnapshotPtr& snapshot : state.snapshots) walk.follow(*snapshot);
  return walk.take();
}

}  // namespace tsmfs::snapshot
