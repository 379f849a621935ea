// Puts directories into a repository: nodes of entries, and the three upper levels of a data
// directory.
#pragma once

#include <map>
#include <vector>

#include "index/repository/repository_writer.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

struct StoredTree {
  index::TreeId id;
  TreeTotals totals;
};

// Requires: what the entries name was stored by `writer`, or is in its repository. Throws:
// UsageError on names that clash or cannot be; InvariantError, with nothing stored, for an entry of
// which nothing is stored; IoError.
StoredTree store_tree(index::RepositoryWriter& writer, std::vector<TreeEntry> entries);
TreeEntry directory_entry(const Name& name, const StoredTree& tree);

// The files of each shard, as a database / policy / shard / file tree.
StoredTree store_data_tree(index::RepositoryWriter& writer,
                           const std::map<ShardPath, std::vector<TreeEntry>>& shards);

}  // namespace tsmfs::snapshot
