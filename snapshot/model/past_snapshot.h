// The last snapshot of a server, asked about what it held.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string_view>

#include "index/repository/object_reader.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

Tree read_tree(index::ObjectReader& objects, const index::TreeId& id);

// The newest snapshot of `server` with that filter; null when there is none.
SnapshotPtr last_snapshot(const CatalogState& state, std::string_view server, const Filter& filter);

// The directory entry of each shard of a snapshot. Throws: CorruptError, IoError.
std::map<ShardPath, TreeEntry> shard_entries(index::ObjectReader& objects,
                                             const Manifest& manifest);

// The shards of which a snapshot lacks something that the server had.
std::set<std::string> incomplete_paths(const Manifest& manifest);

}  // namespace tsmfs::snapshot
