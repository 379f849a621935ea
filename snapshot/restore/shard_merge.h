// Adds the points of a snapshot's shard to a shard that is there.
//
// Of two points of one series and time influxd answers the one whose file comes later, by the
// generation and sequence that its name says: NNNNNNNNN-NNNNNNNNN.tsm. (influxd 1.6 does not
// always, of files with several blocks that overlap, before it has compacted them.) So the files of
// both sides lie in one directory, and those of the side that is preferred get generations after
// all of the other's; no name is given to another content than it had. A tombstone goes with its
// file, and deletes nothing of the other side.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/held_directory.h"
#include "index/repository/repository.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

enum class Prefer : uint8_t { kExisting, kSnapshot };

// A file of the shard that is there.
struct KeptFile {
  std::string name, new_name;
  bool operator==(const KeptFile&) const = default;
};

struct ShardMerge {
  std::vector<KeptFile> kept;
  std::vector<TreeEntry> added;       // the snapshot's, under their new names
  std::vector<std::string> left_out;  // files of the snapshot's shard that hold no points
  bool needed = false;                // else all of it is there as it should be
};

// The files of a shard's directory that influxd does not make again at its start, sorted. Throws:
// UsageError when there is something else, a link or a directory; IoError.
std::vector<std::string> lasting_files(const Directory& shard);

// What is there of a shard: its directory, and that of its write-ahead log. Either may be null.
struct ShardThere {
  const Directory* data = nullptr;
  const Directory* wal = nullptr;
};

// What both make together. `path` and `files` are the snapshot's. Nothing that is there already is
// added; where the snapshot is preferred, it moves to the end. Throws: UsageError when the two
// cannot lie in one directory: a file that influxd does not open, on either side, a field that has
// another type in each (or in the log), a file that cannot be linked, no generation that is free;
// BusyError when something changes meanwhile; CorruptError, IoError, Cancelled.
ShardMerge merge_shard(index::Repository& repository, const ShardPath& path,
                       const std::vector<TreeEntry>& files, const ShardThere& there, Prefer prefer,
                       const std::stop_token& stop);

}  // namespace tsmfs::snapshot
