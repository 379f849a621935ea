#include "snapshot/model/past_snapshot.h"

#include <fmt/format.h>

namespace tsmfs::snapshot {

Tree read_tree(index::ObjectReader& objects, const index::TreeId& id) {
  return Tree::decode(objects.read_tree(id), "tree node " + id.hex());
}

SnapshotPtr last_snapshot(const CatalogState& state, std::string_view server,
                          const Filter& filter) {
  for (auto it = state.snapshots.rbegin(); it != state.snapshots.rend(); ++it)
    if ((*it)->server == server && (*it)->filter == filter) return *it;
  return nullptr;
}

std::map<ShardPath, TreeEntry> shard_entries(index::ObjectReader& objects,
                                             const Manifest& manifest) {
  std::map<ShardPath, TreeEntry> found;
  const Tree top = read_tree(objects, manifest.data);
  for (const TreeEntry& database : top.entries()) {
    if (database.kind != EntryKind::kDirectory) continue;
    const Tree policies = read_tree(objects, database.directory());
    for (const TreeEntry& policy : policies.entries()) {
      if (policy.kind != EntryKind::kDirectory) continue;
      const Tree shards = read_tree(objects, policy.directory());
      for (const TreeEntry& shard : shards.entries()) {
        const auto path =
            parse_shard_path(fmt::format("{}/{}/{}", database.name, policy.name, shard.name));
        if (path && shard.kind == EntryKind::kDirectory) found.emplace(*path, shard);
      }
    }
  }
  return found;
}

std::set<std::string> incomplete_paths(const Manifest& manifest) {
  std::set<std::string> paths;
  for (const Problem& problem : manifest.problems)
    if (problem.severity == Problem::Severity::kIncomplete) paths.insert(problem.path);
  return paths;
}

}  // namespace tsmfs::snapshot
