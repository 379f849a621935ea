#include "snapshot/import/imported_before.h"

#include <utility>

namespace tsmfs::snapshot {

SnapshotPtr find_imported(const CatalogState& state, const Manifest& wanted,
                          const std::function<bool(const Manifest&)>& fits) {
  const auto rank = [&](const Manifest& snapshot) {
    return (snapshot.address == wanted.address ? 2 : 0) + (snapshot.incomplete() ? 0 : 1);
  };
  SnapshotPtr found;
  for (const SnapshotPtr& snapshot : state.snapshots)
    if (snapshot->server == wanted.server && snapshot->time == wanted.time &&
        snapshot->dialect == wanted.dialect && fits(*snapshot) &&
        (!found || rank(*snapshot) > rank(*found) ||
         (rank(*snapshot) == rank(*found) && found->incomplete())))
      found = snapshot;
  return found;
}

SnapshotPtr find_other_of_time(const CatalogState& state, const Manifest& wanted) {
  for (const SnapshotPtr& snapshot : state.snapshots)
    if (snapshot->server == wanted.server && snapshot->time == wanted.time &&
        snapshot->dialect != wanted.dialect && !snapshot->incomplete())
      return snapshot;
  return nullptr;
}

SnapshotPtr with_tags(Catalog& catalog, const SnapshotPtr& there,
                      const std::vector<std::string>& tags) {
  Manifest manifest = *there;
  manifest.tags.insert(manifest.tags.end(), tags.begin(), tags.end());
  manifest.tags = checked_tags(std::move(manifest.tags));
  return manifest.tags == there->tags ? there : catalog.amend(manifest);
}

}  // namespace tsmfs::snapshot
