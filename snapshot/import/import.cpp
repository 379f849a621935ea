#include "snapshot/import/import.h"

#include <fmt/format.h>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/import/imported_before.h"
#include "snapshot/import/run_import.h"

namespace tsmfs::snapshot {

void report_there(const SnapshotPtr& there, const ImportOptions& options, ImportTarget& target) {
  const SnapshotPtr now = options.time ? there : with_tags(target.catalog, there, options.tags);
  options.on_snapshot({.snapshot = now,
                       .already_there = true,
                       .tagged = now != there,
                       .time_taken = options.time.has_value() && !now->incomplete()});
}

bool import_backup_dirs(const std::vector<BackupDir>& dirs, const ImportOptions& options,
                        ImportTarget& target, std::stop_token stop) {
  size_t runs = 0;
  for (const BackupDir& dir : dirs) runs += dir.runs.size();
  if (options.time && runs != 1)
    throw UsageError(fmt::format("{} holds {} backups, and --time is for a single one",
                                 quote(dirs.front().path.string()), runs),
                     "leave it out: their times are known");
  require_one_server(dirs);
  bool complete = true;
  for (const BackupDir& dir : dirs) {
    RunImport legacy(dir, options, target, stop), portable(dir, options, target, stop);
    complete &= dir.damaged.empty();
    for (const BackupRun& run : dir.runs)
      complete &= (run.form == BackupRun::Form::kLegacy ? legacy : portable).import(run);
  }
  return complete;
}

}  // namespace tsmfs::snapshot
