// What an import finds of itself: the snapshot that an earlier import of the same files has made.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "snapshot/model/catalog.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::snapshot {

// The snapshot of that server, time and kind, when it is there: of several one of the same
// directory, then one that is complete, then the newest. Only those that `fits` says yes to count.
SnapshotPtr find_imported(
    const CatalogState& state, const Manifest& wanted,
    const std::function<bool(const Manifest&)>& fits = [](const Manifest&) { return true; });
// A complete snapshot of that server and time that came another way; null when there is none.
SnapshotPtr find_other_of_time(const CatalogState& state, const Manifest& wanted);
// Gives a snapshot that is there the tags that it has not yet. The snapshot as it is then; the same
// one when it had them all.
SnapshotPtr with_tags(Catalog& catalog, const SnapshotPtr& there,
                      const std::vector<std::string>& tags);

}  // namespace tsmfs::snapshot
