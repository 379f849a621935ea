// Walks over the trees of a snapshot.
#pragma once

#include <map>

#include "index/repository/object_reader.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// Throws: CorruptError, IoError.
Tree read_tree(index::ObjectReader& objects, const index::TreeId& id);

// The directory entry of each shard that the filter takes, below a snapshot's data or its
// write-ahead log: database, policy, shard. Throws: CorruptError, IoError.
std::map<ShardPath, TreeEntry> shard_entries(index::ObjectReader& objects,
                                             const index::TreeId& root, const Filter& filter = {});

}  // namespace tsmfs::snapshot
