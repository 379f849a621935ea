// What a repository remembers of one snapshot. Stored as docs/FORMAT.md, "Manifests", says.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/timestamp.h"
#include "index/format/digest.h"
#include "snapshot/model/extent.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// Inode numbers have 28 bits for it.
constexpr uint32_t kSnapshotNumberMax = (uint32_t{1} << 28) - 1;

// Something a person should know about a snapshot.
struct Problem {
  enum class Severity {
    kWarning,
    kIncomplete
  };  // kIncomplete: data that the server has is missing here
  Severity severity = Severity::kWarning;
  std::string path;  // "db/rp/shard", "db/rp/shard/file", or empty for the whole snapshot
  std::string what;
};

// A pinned snapshot is never forgotten.
constexpr std::string_view kPinTag = "keep";
constexpr size_t kTagBytesMax = 100;

// The snapshot of another repository that this one is a copy of.
struct Original {
  index::RepositoryId repository;
  index::SnapshotId snapshot;
  auto operator<=>(const Original&) const = default;
};

// The times of the snapshots beside one, of any server, as the catalog stood when it was published;
// the name of a snapshot in a mount follows from them.
struct Neighbours {
  std::optional<Timestamp> earlier;  // or equal
  std::optional<Timestamp> later;
  bool operator==(const Neighbours&) const = default;
};

struct Manifest {
  index::SnapshotId id;
  // Counts up in a repository and is not given again while any later snapshot lives; inode numbers
  // are made of it.
  uint32_t number = 0;
  Timestamp time;  // when the backup began
  Timestamp finished;
  std::string server;   // the server's name in the history, one path component: /hosts/<server>
  std::string address;  // "127.0.0.1:8088", as given
  std::string dialect;  // "influxd 1.5+", "influxd 1.2-1.4"
  std::string program;  // "tsmfs 0.1.0"
  std::optional<index::SnapshotId> parent;  // the one before it of the same server
  index::TreeId data;                       // database / policy / shard / file
  index::TreeId meta;                       // meta.db, node.json
  std::optional<index::TreeId>
      wal;  // what an imported data directory had in its WAL directory, laid out as `data`
  uint64_t data_below = 0;  // entries below the data tree's root
  uint64_t meta_below = 0;
  uint64_t wal_below = 0;
  std::vector<std::string> databases;
  uint64_t shards = 0;
  uint64_t files = 0;
  uint64_t bytes = 0;              // of all data files
  uint64_t new_bytes = 0;          // of chunks that were not stored before
  uint64_t stored_bytes = 0;       // growth of packs/
  bool metastore_changed = false;  // between the first shard and the last
  Filter filter;                   // what was asked for
  bool partial = false;  // less than all that the filter lets through was asked for: a time range,
                         // or changes without what they are changes to
  std::optional<Extent> extent;  // absent in what an earlier program wrote, and without a metastore
  std::vector<Problem> problems;
  std::vector<std::string> tags;  // sorted, each once
  std::optional<Original> original;
  std::optional<Neighbours> neighbours;  // absent in what an earlier program wrote

  bool incomplete() const;
  bool has_tag(std::string_view tag) const;
  bool is_pinned() const { return has_tag(kPinTag); }
  std::string short_id() const { return id.hex().substr(0, 8); }
};

// Where a snapshot comes from.
struct SnapshotOrigin {
  Timestamp time;
  std::string server, address, dialect;  // as in Manifest
};
// With that, and the one before it, which may be null.
Manifest begin_manifest(SnapshotOrigin origin, const Manifest* parent);

// Whether one of the problems says that data are missing.
bool any_incomplete(const std::vector<Problem>& problems);
// The shards of which a snapshot lacks something that the server had.
std::set<std::string> incomplete_paths(const Manifest& manifest);

// Puts a shard on the record as missing, and among the problems, with the severity that fits: a
// problem of that path and wording is the one.
void add_missing(Manifest& manifest, MissingShard missing);
// Accepts that the shard of that number is missing. False when it is not, or was accepted before.
bool accept_missing(Manifest& manifest, uint64_t shard);

// Sorted, each once. Throws: UsageError for a tag that is empty, too long, or has a comma or a
// control character.
std::vector<std::string> checked_tags(std::vector<std::string> tags);

// Throws: UsageError for a server that cannot be named so, which nobody could read again.
std::string encode_manifest(const Manifest& manifest);
// Throws: CorruptError, naming `object`.
Manifest decode_manifest(std::string_view stored, std::string_view object);

}  // namespace tsmfs::snapshot
