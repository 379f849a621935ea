// How much of what a person may ask for a snapshot holds, by its manifest alone.
#pragma once

#include <string>
#include <vector>

#include "snapshot/model/catalog.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::snapshot {

// What the snapshot lacks of what was asked for, each a phrase such as "holds database telegraf
// only"; empty when it holds all of that, as the server had it. What a person accepted as missing
// is not lacking, unless that shard is asked for.
std::vector<std::string> lacks(const Manifest& snapshot, const Filter& asked);
// Whether something of it is known to be missing: less was stored than was asked of the server.
bool misses(const Manifest& snapshot, const Filter& asked);
// The phrases in one line, the first few of them.
std::string lacks_text(const Manifest& snapshot, const Filter& asked);
// Of the snapshot's own selection: incomplete or partial.
bool is_whole(const Manifest& snapshot);

// How much of its server a snapshot holds, to compare snapshots of one server by: the newest of the
// highest rank is `latest`.
constexpr int kRankMax = 3;
int rank_of(const Manifest& snapshot);

// A database that a server has, and the newest snapshot that holds it whole.
struct LastWhole {
  SnapshotPtr snapshot;
  std::string database;
};
// Those of which no whole snapshot would be left without `going`. The databases of a server are
// those that its newest snapshot names.
std::vector<LastWhole> last_whole_among(const CatalogState& state,
                                        const std::vector<SnapshotPtr>& going);

}  // namespace tsmfs::snapshot
