// What lies in a directory, as new snapshots.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/import/backup_dir.h"
#include "snapshot/import/data_dir.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::snapshot {

// Manifest::dialect of what was imported. With the server and the time it says whether a run was
// imported before.
constexpr std::string_view kLegacyImport = "influxd backup, legacy";
constexpr std::string_view kPortableImport = "influxd backup, portable";
constexpr std::string_view kDataDirImport = "data directory";

struct ImportReport {
  SnapshotPtr snapshot;
  bool already_there = false;  // imported earlier; one that is incomplete came out as it was then
  bool tagged = false;         // it got tags that it had not
  // Nothing was imported: it has the time that was given, whatever is in it.
  bool time_taken = false;
  SnapshotPtr newer = nullptr;  // the server's newest, when a data directory is older than that
};

struct ImportOptions {
  std::string server;  // the name in the history
  std::vector<std::string> tags;
  bool reread = false;            // also files of a data directory that seem unchanged
  std::optional<Timestamp> time;  // instead of the time found; for a single run only
  // Of a data directory: the metastore is derived from the shards (derived_metastore.h), with that
  // shard duration, if it is given.
  bool make_metastore = false;
  std::optional<int64_t> shard_duration_ns;
  std::function<void(const ImportReport&)> on_snapshot = [](const ImportReport&) {};
};

// What imports go into. Requires: `repository` is open for writing, `writer` is its writer.
struct ImportTarget {
  index::Repository& repository;
  index::RepositoryWriter& writer;
  Catalog& catalog;
};

// Tells of a snapshot that is there already, which gets the tags that were given, unless it was
// given a time too: then it need not be what was to be imported.
void report_there(const SnapshotPtr& there, const ImportOptions& options, ImportTarget& target);

// Each run becomes a snapshot, oldest first, whose parent is the server's last one before it; a
// legacy run is laid over the earlier ones of the directory, and so is a portable one that lacks
// files which they have. Damage becomes a problem of its snapshot. True when nothing was
// incomplete. Throws: UsageError for a time with several runs, and for directories of different
// servers; IoError, CorruptError when the repository cannot be read or written; Cancelled. The
// snapshots reported before are there then.
bool import_backup_dirs(const std::vector<BackupDir>& dirs, const ImportOptions& options,
                        ImportTarget& target, std::stop_token stop);

// The same for a data directory: one snapshot, of the time when one of its files last changed.
bool import_data_dir(const DataDir& dir, const ImportOptions& options, ImportTarget& target,
                     std::stop_token stop);

}  // namespace tsmfs::snapshot
