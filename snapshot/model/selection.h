// Snapshots chosen by server, tag and name: one meaning for every command.
#pragma once

#include <string>
#include <vector>

#include "snapshot/model/catalog.h"

namespace tsmfs::snapshot {

struct Selection {
  std::string host, tag;           // empty: any
  std::vector<std::string> names;  // ids, times, or latest; empty: all that the filters let through
};

// What is wrong with filters that let nothing through of what there is: "there is no snapshot of
// server 'db1' with tag 'x'". Empty when nothing is: they let something through, or there are none.
std::string empty_selection(const std::vector<SnapshotPtr>& let_through,
                            const Selection& selection);

// Oldest first, each once. A name means one of those that the filters let through: "latest" the
// newest of them. Throws: UsageError when a name means none or several, when the filters exclude
// it, and when filters let nothing through.
std::vector<SnapshotPtr> select_snapshots(const CatalogState& state, const Selection& selection);

}  // namespace tsmfs::snapshot
