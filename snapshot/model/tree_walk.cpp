#include "snapshot/model/tree_walk.h"

#include <fmt/format.h>

namespace tsmfs::snapshot {

Tree read_tree(index::ObjectReader& objects, const index::TreeId& id) {
  return Tree::decode(objects.read_tree(id), "tree node " + id.hex());
}

std::map<ShardPath, TreeEntry> shard_entries(index::ObjectReader& objects,
                                             const index::TreeId& root, const Filter& filter) {
  std::map<ShardPath, TreeEntry> found;
  const Tree databases = read_tree(objects, root);
  for (const TreeEntry& database : databases.entries()) {
    if (database.kind != EntryKind::kDirectory || !filter.takes_database(database.name)) continue;
    const Tree policies = read_tree(objects, database.directory());
    for (const TreeEntry& policy : policies.entries()) {
      if (policy.kind != EntryKind::kDirectory) continue;
      const Tree shards = read_tree(objects, policy.directory());
      for (const TreeEntry& shard : shards.entries()) {
        const auto path =
            parse_shard_path(fmt::format("{}/{}/{}", database.name, policy.name, shard.name));
        if (path && shard.kind == EntryKind::kDirectory && filter.takes(*path))
          found.emplace(*path, shard);
      }
    }
  }
  return found;
}

}  // namespace tsmfs::snapshot
