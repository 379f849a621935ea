// What of a snapshot an export takes.
#pragma once

#include <string>
#include <vector>

#include "index/repository/repository.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/stored_shards.h"

namespace tsmfs::snapshot {

struct ExportChoice {
  std::vector<StoredShard> shards;  // sorted by path
  std::vector<std::string> notes;   // what was named and has no shards, which is no loss
};

// Throws: UsageError when the snapshot has nothing of a database or policy that is named, or holds
// no shard of what has some; CorruptError, IoError.
ExportChoice choose_for_export(index::Repository& repository, const Manifest& snapshot,
                               const Filter& filter);

}  // namespace tsmfs::snapshot
