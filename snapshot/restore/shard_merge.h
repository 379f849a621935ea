// Adds the points of a snapshot's shard to a shard that is there.
//
// Of two points of one series and time influxd answers the one whose file comes later, by the
// generation and sequence that its name says: NNNNNNNNN-NNNNNNNNN.tsm. So the files of both sides
// lie in one directory, and those of the side that is preferred get generations after all of the
// other's. A tombstone goes with its file, and deletes nothing of the other side.
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
};

// The files of a shard's directory that influxd does not make again at its start, sorted. Throws:
// UsageError when there is something else, a link or a directory; IoError.
std::vector<std::string> lasting_files(const Directory& shard);

// What both make together; nothing is added of what `there` has already. `path` and `files` are the
// snapshot's. Throws: UsageError when the two cannot lie in one directory: a file that influxd does
// not open, on either side, a field that has another type in each, no generation that is free;
// CorruptError, IoError, Cancelled.
ShardMerge merge_shard(index::Repository& repository, const ShardPath& path,
                       const std::vector<TreeEntry>& files, const Directory& there, Prefer prefer,
                       const std::stop_token& stop);

}  // namespace tsmfs::snapshot
