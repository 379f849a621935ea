// One shard's directory on disk, in a data or a WAL directory, that a server may be changing
// meanwhile.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/name.h"
#include "index/format/digest.h"
#include "snapshot/intake/seen_files.h"
#include "snapshot/intake/shard_reader.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

struct DirEntry {
  Name name;
  mode_t mode = 0;  // S_IFREG and so on, of a link itself; 0 when it cannot be looked at
  uid_t owner = 0;
  FileStat stat;
  std::string failure;  // why it cannot be looked at
  bool operator==(const DirEntry&) const = default;
};

// Sorted by name. Throws: ProtocolError when the directory cannot be read.
std::vector<DirEntry> list_entries(const std::filesystem::path& directory);

// What of a directory's files belongs into a snapshot.
enum class DirKind { kData, kWal };
bool is_taken(std::string_view file, DirKind kind);

struct DirShard {
  ReadShard shard;
  std::vector<Problem> problems;
  bool moved = false;  // files came or went while it was read
  bool gone = false;   // and so did the directory
};

// What the last import of a server saw, and what this one sees.
struct SeenByImports {
  SeenFiles last, now;
};

// A busy server changes a shard every second at most, and what has been read is not read again.
constexpr unsigned kPassesMax = 20;

// Stores a shard's files, each read in place, but for those that are unchanged since `seen.last`.
// The files of a data directory are those that it held at one moment: when files come or go
// meanwhile, it is read again, `passes_max` times in all. Those of a WAL only grow, and go when
// what they hold is in the data directory, so that whoever reads that afterwards has all. What
// changes for ever, or cannot be read, is a problem. Throws: IoError when the repository cannot be
// written, Cancelled.
DirShard read_shard_dir(const std::filesystem::path& directory, const ShardPath& path, DirKind kind,
                        ShardReader& reader, const index::DigestKey& key, SeenByImports& seen,
                        const std::stop_token& stop, unsigned passes_max = kPassesMax);

}  // namespace tsmfs::snapshot
