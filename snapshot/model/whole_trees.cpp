#include "snapshot/model/whole_trees.h"

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/model/tree.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

bool WholeTrees::holds(const Manifest& snapshot) {
  return holds(snapshot.data) && holds(snapshot.meta) && (!snapshot.wal || holds(*snapshot.wal));
}

bool WholeTrees::holds(const index::TreeId& id) {
  if (whole_.contains(id)) return true;
  if (stop_.stop_requested()) throw Cancelled();
  if (!writer_.holds_tree(id)) return false;
  const Tree tree = read_tree(repository_.objects(), id);
  const bool whole = std::ranges::all_of(tree.entries(), [&](const TreeEntry& entry) {
    return entry.kind == EntryKind::kDirectory ? holds(entry.directory())
                                               : holds_file(entry.file());
  });
  if (whole) whole_.insert(id);
  return whole;
}

bool WholeTrees::holds_file(const index::FileId& id) const {
  return writer_.holding_of(id) == index::Holding::kAll;
}

}  // namespace tsmfs::snapshot
