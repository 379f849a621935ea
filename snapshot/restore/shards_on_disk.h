// The shards of a data directory as they lie there.
#pragma once

#include <filesystem>

#include "snapshot/influxdb/metastore_edit.h"

namespace tsmfs::snapshot {

// What is named like a shard, by number; nothing when `datadir` is empty or absent. Throws:
// IoError.
ShardsOnDisk list_shards_on_disk(const std::filesystem::path& datadir);

// A directory of the server that mostly lies beside its data.
std::filesystem::path beside_data(const std::filesystem::path& datadir, const char* name);

}  // namespace tsmfs::snapshot
