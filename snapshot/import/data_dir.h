// The data directory of a server, stopped or running, or of a file-system snapshot of one: its
// shards, its metastore, and its write-ahead log.
//
// Files are read in place, the write-ahead log before the data: a running server removes a segment
// only when what it holds is in a TSM file.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

struct DataDirPlaces {
  std::filesystem::path data;  // database/policy/shard/file.tsm
  std::filesystem::path meta;  // meta.db, node.json; may be empty: not given
  std::filesystem::path wal;   // database/policy/shard/_00001.wal; may be empty: not given
};

// Names only.
struct DataDir {
  DataDirPlaces places;
  std::map<ShardPath, std::filesystem::path> shards;
  std::map<ShardPath, std::filesystem::path> wal_shards;
  Timestamp changed;              // the newest modification time of any file taken
  bool changed_is_known = true;   // false when something could not be looked at (see `problems`)
  std::string server;             // the influxd that has files there open, "influxd (1234)", if any
  std::vector<Problem> problems;  // links that were not followed, what could not be looked at, and
                                  // what a snapshot of this lacks
  std::vector<std::string> notes;  // what else lies there and was left out
};

// Links to databases, policies and shards are followed, as influxd follows them. Throws:
// UsageError, with the likely right path, when `data` holds no shard, or a directory that was given
// is none or another than its option says; ProtocolError when none can be read; IoError.
DataDir read_data_dir(const DataDirPlaces& places);

// The metastore as the server keeps it; node_json is empty where there is none. Throws:
// ProtocolError when meta.db or node.json cannot be read.
MetastoreAnswer read_meta_dir(const std::filesystem::path& meta);

}  // namespace tsmfs::snapshot
