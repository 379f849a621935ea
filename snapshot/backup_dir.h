// What influxd backup leaves in a directory, told apart into runs.
//
// Legacy: a run is a meta.NN and the archives db.rp.SSSSS.NN written between it and the next
// meta.NN, by their modification times: the numbers of different names need not line up. Portable:
// a run is a YYYYMMDDTHHMMSSZ.manifest and the files that it names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/backup_run.h"

namespace tsmfs::snapshot {

struct BackupDir {
  std::filesystem::path path;
  std::vector<BackupRun> runs;       // by time
  std::vector<std::string> damaged;  // runs that cannot be told; one message each
  std::vector<std::string> notes;    // what else lies there and was left out
};

// Reads names, times and manifests. Throws: UsageError when the directory is not one or holds no
// run; IoError.
BackupDir read_backup_dir(const std::filesystem::path& path);

// The forms of names, for tests.
struct LegacyName {
  std::string names;  // "db.rp"; empty for meta.NN
  uint64_t shard = 0;
  unsigned number = 0;
};
std::optional<LegacyName> parse_legacy_name(std::string_view file);
// "20160201T180236Z"
std::optional<Timestamp> parse_portable_stamp(std::string_view stamp);

}  // namespace tsmfs::snapshot
