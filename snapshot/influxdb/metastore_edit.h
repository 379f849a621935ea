// Makes the meta.db of a restore: a snapshot's metastore, or a chosen part of it, alone or merged
// into that of another server.
//
// Whatever this schema does not know survives: only what is named here is changed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "snapshot/influxdb/shard_choice.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

// The shard directories of a data directory, by number.
using ShardsOnDisk = std::map<uint64_t, ShardPath>;

struct MetaEdit {
  std::string protobuf;            // the new meta.db
  ShardMoves moves;                // numbers that were taken have been replaced
  std::vector<std::string> notes;  // what a person should know
};

// A meta.db for a server that has none: the snapshot's, byte for byte, or what is chosen of it,
// users included. Throws: CorruptError, UsageError as choose_shards().
MetaEdit filter_metastore(ByteView snapshot, const MetaChoice& choice, const ShardsOnDisk& on_disk);

// Adds what is chosen to `target`, which keeps all it has: its users, its other databases, the
// definitions of a database or policy that both have. With `choice.with_users` users and grants
// that it lacks are added, with their hashes; those that it has keep theirs. A shard group of the
// same time range is the same one. Numbers of shards and groups that the target uses for something
// else, and numbers of shards that `on_disk` has elsewhere, are replaced by fresh ones, as the
// server's own import does. Throws: CorruptError naming `target_name` when the target is no
// metastore; UsageError.
MetaEdit merge_metastore(ByteView target, std::string_view target_name, ByteView snapshot,
                         const MetaChoice& choice, const ShardsOnDisk& on_disk);

}  // namespace tsmfs::snapshot
