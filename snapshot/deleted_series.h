// Which shards of a snapshot have points that were deleted, and are still in their files.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "index/object_reader.h"
#include "snapshot/shard_path.h"
#include "snapshot/stored_shards.h"

namespace tsmfs::snapshot {

struct DeletedPoints {
  ShardPath path;
  std::set<std::string> series;  // some of those concerned
  bool more_series = false;
  std::string unreadable;  // why a tombstone of it cannot be read; it may say more
};

// The shards whose tombstones name anything, in order. Throws: CorruptError when a stored file is
// damaged, IoError.
std::vector<DeletedPoints> find_deleted_points(index::ObjectReader& objects,
                                               const std::vector<StoredShard>& shards);

// "db/rp/1: cpu,host=a, cpu,host=b and more", fit for a terminal.
std::string describe(const DeletedPoints& deleted);

}  // namespace tsmfs::snapshot
