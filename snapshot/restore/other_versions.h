// What of stored shards another version of influxd than the one that wrote it reads otherwise.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/restore/restore_plan.h"

namespace tsmfs::snapshot {

struct VersionTraps {
  std::vector<std::string> warnings;  // what is wrong with every later version
  std::vector<std::string> notes;     // what is wrong with some, and it cannot be known which runs
};

// Tombstones of the shards that a restore brings into a data directory: those of 1.5 and later
// (version 4) mean nothing to older servers, and those of a time range that 1.2 and 1.3 wrote are
// misread by later ones; and TSM files with unsigned integers, for which 1.2 and 1.3 refuse all
// data. `dialect` is the manifest's. Throws: CorruptError, IoError.
VersionTraps find_version_traps(index::ObjectReader& objects,
                                const std::vector<RestoreShard>& shards,
                                const std::filesystem::path& datadir, const std::string& dialect);

// Whether the directories are those of a data node of InfluxDB Enterprise, whose metastore is on
// other machines. Either may be empty. Throws: IoError.
bool is_enterprise_node(const std::filesystem::path& metadir, const std::filesystem::path& datadir);

}  // namespace tsmfs::snapshot
