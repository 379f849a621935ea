#include "snapshot/past_snapshot.h"

namespace tsmfs::snapshot {

Tree read_tree(index::ObjectReader& objects, const index::TreeId& id) {
  return Tree::decode(objects.read_tree(id), "tree node " + id.hex());
}

SnapshotPtr last_snapshot(const CatalogState& state, std::string_view server) {
  for (auto it = state.snapshots.rbegin(); it != state.snapshots.rend(); ++it)
    if ((*it)->server == server) return *it;
  return nullptr;
}

std::map<ShardPath, uint64_t> shard_sizes(index::ObjectReader& objects, const Manifest& manifest) {
  std::map<ShardPath, uint64_t> sizes;
  const Tree top = read_tree(objects, manifest.data);
  for (const TreeEntry& database : top.entries()) {
    if (database.kind != EntryKind::kDirectory) continue;
    const Tree policies = read_tree(objects, database.directory());
    for (const TreeEntry& policy : policies.entries()) {
      if (policy.kind != EntryKind::kDirectory) continue;
      const Tree shards = read_tree(objects, policy.directory());
      for (const TreeEntry& shard : shards.entries())
        if (const auto path =
                parse_shard_path(database.name + "/" + policy.name + "/" + shard.name))
          sizes.emplace(*path, shard.size);
    }
  }
  return sizes;
}

}  // namespace tsmfs::snapshot
