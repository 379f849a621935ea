#include "snapshot/tree_store.h"

#include <string>

namespace tsmfs::snapshot {

namespace {

constexpr uint32_t kDirectoryMode = 0755;

}  // namespace

StoredTree store_tree(index::RepositoryWriter& writer, std::vector<TreeEntry> entries) {
  const Tree tree(std::move(entries));
  return {writer.put_tree(tree.encode()), tree.totals()};
}

TreeEntry directory_entry(std::string name, const StoredTree& tree) {
  return {std::move(name),  EntryKind::kDirectory, kDirectoryMode, {},
          tree.totals.size, tree.totals.below,     tree.id};
}

StoredTree store_data_tree(index::RepositoryWriter& writer,
                           const std::map<ShardPath, std::vector<TreeEntry>>& shards) {
  // database → policy → entries of its shards
  std::map<std::string, std::map<std::string, std::vector<TreeEntry>>> databases;
  for (const auto& [path, files] : shards)
    databases[path.database][path.policy].push_back(
        directory_entry(std::to_string(path.shard), store_tree(writer, files)));
  std::vector<TreeEntry> top;
  for (auto& [database, policies] : databases) {
    std::vector<TreeEntry> entries;
    for (auto& [policy, shard_entries] : policies)
      entries.push_back(directory_entry(policy, store_tree(writer, std::move(shard_entries))));
    top.push_back(directory_entry(database, store_tree(writer, std::move(entries))));
  }
  return store_tree(writer, std::move(top));
}

}  // namespace tsmfs::snapshot
