// One snapshot of a server among all of a catalog: the last one, or what lies beside a time.
#pragma once

#include <string_view>

#include "index/base/timestamp.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

// The newest snapshot of `server` with that filter; null when there is none.
SnapshotPtr newest_with_filter(const CatalogState& state, std::string_view server,
                               const Filter& filter);
// The newest of those before a time; null when there is none.
SnapshotPtr newest_before(const CatalogState& state, std::string_view server, Timestamp time);
// The newest, when it is later than that time; else null.
SnapshotPtr newest_after(const CatalogState& state, std::string_view server, Timestamp time);

}  // namespace tsmfs::snapshot
