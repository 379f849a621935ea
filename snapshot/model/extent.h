// How far a snapshot reaches: what the server had of what was asked for, what came, and what is
// known to be missing. Stored in the manifest (docs/FORMAT.md, "Manifests").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

// So that a manifest stays small, whatever befell a server; Extent::named and `came` go on
// counting.
constexpr size_t kMissingListedMax = 10'000;

// A shard that the server's metastore names and that is not here, or not as it was.
struct MissingShard {
  ShardPath path;
  std::string why;
  uint64_t had_bytes = 0;  // when a snapshot last held it; 0 when none did
  bool accepted = false;   // a person has said that it may be missing
  bool operator==(const MissingShard&) const = default;
};

struct Extent {
  std::optional<Timestamp> since;  // only files later than that were asked for
  // Shards that the metastore names in what was asked for, their time begun and their group not
  // deleted, and those of them that are here as the server has them.
  uint64_t named = 0;
  uint64_t came = 0;
  uint64_t late = 0;                  // shards that brought more when they were asked once more
  std::vector<MissingShard> missing;  // sorted by path, each once
  bool operator==(const Extent&) const = default;
};

}  // namespace tsmfs::snapshot
