// What of a snapshot is to be restored, and under which names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "index/base/name.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

// What of a snapshot is wanted, and under which names. Shard groups that the server had marked as
// deleted never are.
struct MetaChoice {
  Filter filter;                     // databases, policy, shard
  std::optional<Name> new_database;  // nothing keeps the name; else exactly one database is chosen
  std::optional<Name> new_policy;    // nothing keeps the name; else a policy or a shard is chosen
  bool with_users = false;           // a merge takes users and grants of the snapshot too
  bool with_subscriptions = false;   // a copy under another name keeps them

  bool is_everything() const { return filter.is_everything() && !new_database && !new_policy; }
};

// Throws: UsageError, saying what there is, when the snapshot has no database or policy that the
// filter names.
void require_known(const Metastore& snapshot, const Filter& filter);

// Where chosen shards go, by their number in the snapshot.
using ShardMoves = std::map<uint64_t, ShardPath>;
// The chosen shards under their new names, their numbers kept. Throws: UsageError, saying what
// there is, when the snapshot has no such database, policy or shard, or the choice makes no sense;
// CorruptError when a database or policy that is chosen has a name that no directory can have, or
// a shard is in two places.
ShardMoves choose_shards(const Metastore& snapshot, const MetaChoice& choice);

}  // namespace tsmfs::snapshot
