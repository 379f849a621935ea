// What an offline restore is to do: which files go where, and what meta.db becomes. Writes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/owner.h"
#include "index/repository/repository.h"
#include "snapshot/influxdb/metastore_edit.h"
#include "snapshot/influxdb/shard_choice.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/tree.h"
#include "snapshot/restore/shard_merge.h"

namespace tsmfs::snapshot {

struct RestoreRequest {
  SnapshotPtr snapshot;
  MetaChoice choice;
  std::filesystem::path metadir;  // empty: meta.db is not touched
  std::filesystem::path datadir;  // empty: no data are written
  std::filesystem::path waldir;   // empty: the write-ahead log is not restored
  Owner owner;                    // what is empty of it follows the target directory
  bool overwrite = false;         // a shard directory that is there is replaced
  bool skip_existing = false;     // one that is there is left, and not restored
  // The snapshot's points are added to one that is there. Requires: a `metadir`, no `waldir`.
  std::optional<Prefer> merge;
  // The metastore is derived from the shards (derived_metastore.h), whether the snapshot has one or
  // not, with that shard duration, if it is given.
  bool make_metastore = false;
  std::optional<int64_t> shard_duration_ns;
  std::stop_token stop;  // of the planning, which may have to look into every file
};

struct RestoreShard {
  ShardPath from, to;
  std::vector<TreeEntry> files;
  uint64_t bytes = 0;
  bool replaces = false;                           // a directory that is there and not empty
  std::optional<std::vector<KeptFile>> kept = {};  // of that, in a merge
};

struct RestorePlan {
  std::vector<RestoreShard> shards;
  std::vector<RestoreShard> wal;              // the same of the write-ahead log
  std::vector<ShardPath> skipped;             // there already; in a merge, with all their points
  std::optional<std::string> meta_db;         // its new content
  std::optional<std::string> meta_db_before;  // what it is now; empty when there is none
  uint64_t files = 0;
  uint64_t bytes = 0;
  std::vector<std::string> warnings;
  std::vector<std::string> notes;  // that can be passed over where there is little room
  bool lacks_wal = false;  // the log was asked for and is not there, or the points that only it has
  bool log_wins = false;   // a server's log, over the points of a merge that are to win
  bool lacks_settings = false;  // continuous queries, users and the like that were asked for
};

// The metastore's path in a meta directory.
std::filesystem::path meta_db_path(const std::filesystem::path& metadir);
// Where a shard lies in a data directory.
std::filesystem::path shard_directory(const std::filesystem::path& datadir, const ShardPath& shard);

// Throws: UsageError when the snapshot does not have what is chosen, or the target has a number in
// use for something else; CorruptError, IoError, Cancelled.
RestorePlan plan_restore(index::Repository& repository, const RestoreRequest& request);

}  // namespace tsmfs::snapshot
