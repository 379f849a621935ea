// The shards of a data directory as they lie there.
#pragma once

#include <filesystem>

#include "snapshot/influxdb/metastore_edit.h"

namespace tsmfs::snapshot {

// What is named like a shard, by number; nothing when `datadir` is empty or absent. Throws:
// IoError.
ShardsOnDisk list_shards_on_disk(const std::filesystem::path& datadir);

}  // namespace tsmfs::snapshot
