// What influxd backup leaves in a directory, told apart into runs.
//
// Legacy: a run is a meta.NN and the archives db.rp.SSSSS.NN written between it and the next
// meta.NN, by their modification times: the numbers of different names need not line up. An archive
// is one by what is in it, too, whatever its name. Portable: see portable_dir.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/import/backup_run.h"

namespace tsmfs::snapshot {

struct BackupDir {
  std::filesystem::path path;
  std::vector<BackupRun> runs;       // by time
  std::vector<std::string> damaged;  // what looks like a part of a backup and cannot be taken; one
                                     // message each
  std::vector<std::string> notes;    // what else lies there and was left out
};

// Reads names, times and manifests, and the beginning of files with other names. Throws: UsageError
// when the directory is not one or holds no run; IoError.
BackupDir read_backup_dir(const std::filesystem::path& path);
// The directory and those directly below it that hold runs, by the time of their first; the
// directory itself also when it holds none.
// Throws: UsageError when none does; IoError.
std::vector<BackupDir> read_backup_dirs(const std::filesystem::path& path);
// Directories side by side may be those of many servers, whose histories must not become one.
// Throws: UsageError when their metastores say that they are.
void require_one_server(const std::vector<BackupDir>& dirs);

// The forms of names, for tests.
struct LegacyName {
  std::string names;  // "db.rp"; empty for meta.NN
  uint64_t shard = 0;
  unsigned number = 0;
};
std::optional<LegacyName> parse_legacy_name(std::string_view file);

}  // namespace tsmfs::snapshot
