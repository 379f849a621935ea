#include "snapshot/model/past_snapshot.h"

namespace tsmfs::snapshot {

SnapshotPtr last_snapshot(const CatalogState& state, std::string_view server,
                          const Filter& filter) {
  for (auto it = state.snapshots.rbegin(); it != state.snapshots.rend(); ++it)
    if ((*it)->server == server && (*it)->filter == filter) return *it;
  return nullptr;
}

std::set<std::string> incomplete_paths(const Manifest& manifest) {
  std::set<std::string> paths;
  for (const Problem& problem : manifest.problems)
    if (problem.severity == Problem::Severity::kIncomplete) paths.insert(problem.path);
  return paths;
}

}  // namespace tsmfs::snapshot
