// What of a snapshot is to be restored, and under which names.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "snapshot/filter.h"
#include "snapshot/metastore.h"
#include "snapshot/shard_path.h"

namespace tsmfs::snapshot {

// What of a snapshot is wanted, and under which names. Shard groups that the server had marked as
// deleted never are.
struct MetaChoice {
  Filter filter;             // databases, policy, shard
  std::string new_database;  // empty keeps the name; else exactly one database is chosen
  std::string new_policy;    // empty keeps the name; else a policy or a shard is chosen

  bool is_everything() const {
    return filter.is_everything() && new_database.empty() && new_policy.empty();
  }
};

// Where chosen shards go, by their number in the snapshot.
using ShardMoves = std::map<uint64_t, ShardPath>;
// The chosen shards under their new names, their numbers kept. Throws: UsageError, saying what
// there is, when the snapshot has no such database, policy or shard, or the choice makes no sense.
ShardMoves choose_shards(const Metastore& snapshot, const MetaChoice& choice);

}  // namespace tsmfs::snapshot
