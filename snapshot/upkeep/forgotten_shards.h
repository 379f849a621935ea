// Which shards no snapshot would hold any more if some were forgotten.
#pragma once

#include <string>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

struct ForgottenShard {
  std::string server;
  ShardPath path;
  uint64_t bytes = 0;  // in the newest snapshot that holds it
  // The server has it: its newest snapshot of that database names it, though it may lack it.
  bool server_has = false;
};

// Sorted by server and path; shards without bytes are left out. Throws: CorruptError, IoError.
std::vector<ForgottenShard> shards_only_in(index::ObjectReader& objects, const CatalogState& state,
                                           const std::vector<SnapshotPtr>& going);

}  // namespace tsmfs::snapshot
