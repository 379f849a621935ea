// Which shards of a snapshot have points that were deleted, and are still in their files.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/influxdb/tombstone.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/stored_shards.h"

namespace tsmfs::snapshot {

struct DeletedPoints {
  ShardPath path;
  std::set<std::string> series;  // some of those concerned
  bool more_series = false;
  std::string unreadable;  // why a tombstone of it cannot be read; it may say more
};

struct StoredTombstone {
  Tombstone tombstone;
  std::string unreadable;  // why it cannot be read; empty when it can
};
// Throws: CorruptError when the stored file is damaged, IoError.
StoredTombstone read_stored_tombstone(index::ObjectReader& objects, const TreeEntry& file);

// The shards whose tombstones name anything, in order. Throws: CorruptError when a stored file is
// damaged, IoError.
std::vector<DeletedPoints> find_deleted_points(index::ObjectReader& objects,
                                               const std::vector<StoredShard>& shards);

// Lets through what brings points back when that was wanted, and says so: a message, empty when
// there are none. Throws: UsageError, naming them, when it was not; `who` drops tombstones, and
// `instead` is what else could be done.
std::string allow_resurrection(const std::vector<DeletedPoints>& deleted, bool wanted,
                               const std::string& who, const std::string& instead);

// "db/rp/1: cpu,host=a, cpu,host=b and more", fit for a terminal.
std::string describe(const DeletedPoints& deleted);

}  // namespace tsmfs::snapshot
