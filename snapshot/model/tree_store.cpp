#include "snapshot/model/tree_store.h"

#include <fmt/format.h>

#include <string>

#include "index/base/invariant.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint32_t kDirectoryMode = 0755;

}  // namespace

StoredTree store_tree(index::RepositoryWriter& writer, std::vector<TreeEntry> entries) {
  const Tree tree(std::move(entries));
  for (const TreeEntry& entry : tree.entries()) {
    const bool held = entry.kind == EntryKind::kDirectory
                          ? writer.holds_tree(entry.directory())
                          : writer.holding_of(entry.file()) != index::Holding::kNothing;
    if (!held)
      throw InvariantError(
          fmt::format("the content of {} is stored before its directory is", quote(entry.name)));
  }
  const ByteBuffer encoded = tree.encode();
  require_readable([&] { Tree::decode(encoded, "a tree node"); });
  return {writer.put_tree(encoded), tree.totals()};
}

TreeEntry directory_entry(const Name& name, const StoredTree& tree) {
  return {name,   EntryKind::kDirectory, kDirectoryMode, {}, tree.totals.size, tree.totals.below,
          tree.id};
}

StoredTree store_data_tree(index::RepositoryWriter& writer,
                           const std::map<ShardPath, std::vector<TreeEntry>>& shards) {
  // database → policy → entries of its shards
  std::map<Name, std::map<Name, std::vector<TreeEntry>>> databases;
  for (const auto& [path, files] : shards)
    databases[path.database][path.policy].push_back(
        directory_entry(path.directory(), store_tree(writer, files)));
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
