#include "snapshot/model/snapshots_of_server.h"

#include <algorithm>

namespace tsmfs::snapshot {

namespace {

template <typename Fits>
SnapshotPtr newest_of(const CatalogState& state, std::string_view server, Fits fits) {
  const auto found = std::find_if(
      state.snapshots.rbegin(), state.snapshots.rend(),
      [&](const SnapshotPtr& snapshot) { return snapshot->server == server && fits(*snapshot); });
  return found == state.snapshots.rend() ? nullptr : *found;
}

}  // namespace

SnapshotPtr newest_with_filter(const CatalogState& state, std::string_view server,
                               const Filter& filter) {
  return newest_of(state, server,
                   [&](const Manifest& snapshot) { return snapshot.filter == filter; });
}

SnapshotPtr newest_before(const CatalogState& state, std::string_view server, Timestamp time) {
  return newest_of(state, server, [&](const Manifest& snapshot) { return snapshot.time < time; });
}

SnapshotPtr newest_after(const CatalogState& state, std::string_view server, Timestamp time) {
  return newest_of(state, server, [&](const Manifest& snapshot) { return snapshot.time > time; });
}

}  // namespace tsmfs::snapshot
