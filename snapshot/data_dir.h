// The data directory of a stopped server, or of a file-system snapshot of one: its shards, its
// metastore, and its write-ahead log.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/timestamp.h"
#include "index/digest.h"
#include "snapshot/manifest.h"
#include "snapshot/metastore_answer.h"
#include "snapshot/seen_files.h"
#include "snapshot/shard_path.h"
#include "snapshot/shard_reader.h"

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
  Timestamp changed;               // the newest modification time of any file taken
  bool changed_is_known = true;    // false when something could not be looked at (see `problems`)
  std::vector<Problem> problems;   // links that were not followed, what could not be looked at, and
                                   // what a snapshot of this lacks
  std::vector<std::string> notes;  // what else lies there and was left out
};

// Throws: UsageError when `data` holds no shard, or a directory that was given is none;
// ProtocolError when none can be read; IoError.
DataDir read_data_dir(const DataDirPlaces& places);

// The metastore as the server keeps it; node_json is empty where there is none. Throws:
// ProtocolError when meta.db or node.json cannot be read.
MetastoreAnswer read_meta_dir(const std::filesystem::path& meta);

struct DirShard {
  ReadShard shard;
  std::vector<Problem> problems;
};

// What of a directory's files belongs into a snapshot.
enum class DirKind { kData, kWal };

// What the last import of a server saw, and what this one sees.
struct SeenByImports {
  SeenFiles last, now;
};

// Stores a shard's files, each read in place, but for those that are unchanged since `seen.last`.
// When the directory changes meanwhile it is read once more; what then still changes, or cannot be
// read, is a problem. Throws: IoError when the repository cannot be written, Cancelled.
DirShard read_shard_dir(const std::filesystem::path& directory, const ShardPath& path, DirKind kind,
                        ShardReader& reader, const index::DigestKey& key, SeenByImports& seen,
                        const std::stop_token& stop);

}  // namespace tsmfs::snapshot
