// The last snapshot of a server, asked about what it held.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "snapshot/model/catalog.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

// The newest snapshot of `server` with that filter; null when there is none.
SnapshotPtr last_snapshot(const CatalogState& state, std::string_view server, const Filter& filter);

// The shards of which a snapshot lacks something that the server had.
std::set<std::string> incomplete_paths(const Manifest& manifest);

}  // namespace tsmfs::snapshot
