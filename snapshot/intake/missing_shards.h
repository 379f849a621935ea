// Which shards a snapshot should hold and does not, judged by the server's metastore and by what
// earlier snapshots held.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// A server makes shard groups ahead of their time, and their shards with the first point: one that
// began so short a time ago may have none yet.
constexpr int64_t kGroupGraceNs = int64_t{3600} * 1'000'000'000;

// What the last snapshot that was asked for a shard says of it.
struct PastShard {
  uint64_t bytes = 0;  // that it has, or had when one last held it
  bool missing = false;
  bool accepted = false;
};

// Not thread safe. Requires: what it is made of outlives it.
class PastShards {
 public:
  // The snapshots of `server` before `time`.
  PastShards(index::ObjectReader& objects, const CatalogState& state, std::string_view server,
             Timestamp time);
  // A snapshot that cannot be read says nothing.
  PastShard last(const ShardPath& path);

 private:
  const std::map<ShardPath, TreeEntry>& entries_of(const Manifest& snapshot);

  index::ObjectReader& objects_;
  std::vector<SnapshotPtr> snapshots_;  // newest first
  std::map<index::SnapshotId, std::map<ShardPath, TreeEntry>> entries_;
};

struct ShardHere {
  uint64_t bytes = 0;
  bool whole = true;  // else a problem of its path says why not
};

struct ExtentQuestion {
  const Metastore& metastore;
  const std::map<ShardPath, ShardHere>& here;
  std::string absent;  // what to say of a shard that is not here
  // Whether that shard was asked for, beside what the manifest's filter says.
  std::function<bool(const ShardPath&)> asked = [](const ShardPath&) { return true; };
  std::set<uint64_t> accepted;  // shards that may be missing
};

// Fills in `manifest.extent` but for `since`, and names what is missing among the problems. A shard
// of a group that is deleted or whose time has not begun is not missing, nor one without points
// that never had any. Requires: the filter, the time and the problems so far are in the manifest.
void judge_extent(Manifest& manifest, const ExtentQuestion& question, PastShards& past);

}  // namespace tsmfs::snapshot
