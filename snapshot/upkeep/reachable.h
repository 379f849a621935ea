// What snapshots need: the ids of all tree nodes and files that can be reached from their
// manifests.
#pragma once

#include <tsl/robin_set.h>

#include <stop_token>
#include <string>
#include <vector>

#include "index/format/digest.h"
#include "index/repository/object_reader.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::snapshot {

// 16 bytes of memory for each id, and what a hash table adds.
struct Reachable {
  tsl::robin_set<index::TreeId, index::IdHash> trees;
  tsl::robin_set<index::FileId, index::IdHash> files;
  std::vector<std::string> unreadable;  // tree nodes that cannot be read, one message each
  bool may_come_back = false;           // of those, by an error of reading that can pass
};

// Reads each node once. Throws: Cancelled.
Reachable find_reachable(index::ObjectReader& objects, const CatalogState& state,
                         const std::stop_token& stop);

}  // namespace tsmfs::snapshot
