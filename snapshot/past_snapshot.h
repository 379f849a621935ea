// The last snapshot of a server, asked about what it held.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "index/object_reader.h"
#include "snapshot/catalog.h"
#include "snapshot/shard_path.h"
#include "snapshot/tree.h"

namespace tsmfs::snapshot {

Tree read_tree(index::ObjectReader& objects, const index::TreeId& id);

// The newest snapshot of `server`; null when there is none.
SnapshotPtr last_snapshot(const CatalogState& state, std::string_view server);

// The bytes of each shard of a snapshot. Throws: CorruptError, IoError.
std::map<ShardPath, uint64_t> shard_sizes(index::ObjectReader& objects, const Manifest& manifest);

}  // namespace tsmfs::snapshot
