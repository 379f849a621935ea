#include "snapshot/upkeep/forgotten_shards.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

using ShardOfServer = std::pair<std::string, ShardPath>;

// The newest snapshot of the server that was asked for the shard says that it is missing.
bool is_named_missing(const CatalogState& state, const std::string& server, const ShardPath& path) {
  for (auto it = state.snapshots.rbegin(); it != state.snapshots.rend(); ++it) {
    const Manifest& snapshot = **it;
    if (snapshot.server != server || !snapshot.extent || !snapshot.filter.takes(path)) continue;
    return std::ranges::count(snapshot.extent->missing, path, &MissingShard::path) > 0;
  }
  return false;
}

}  // namespace

std::vector<ForgottenShard> shards_only_in(index::ObjectReader& objects, const CatalogState& state,
                                           const std::vector<SnapshotPtr>& going) {
  std::set<index::SnapshotId> gone;
  for (const SnapshotPtr& snapshot : going) gone.insert(snapshot->id);
  std::map<ShardOfServer, uint64_t> taken;  // by the newest snapshot
  std::set<ShardOfServer> left;
  std::set<std::pair<std::string, index::TreeId>> seen_left;  // equal trees hold equal shards
  for (const SnapshotPtr& snapshot : state.snapshots) {
    const bool goes = gone.contains(snapshot->id);
    if (!goes && !seen_left.insert({snapshot->server, snapshot->data}).second) continue;
    for (const auto& [path, entry] : shard_entries(objects, snapshot->data)) {
      if (entry.size == 0) continue;
      if (goes)
        taken[{snapshot->server, path}] = entry.size;
      else
        left.insert({snapshot->server, path});
    }
  }
  std::vector<ForgottenShard> found;
  for (const auto& [shard, bytes] : taken)
    if (!left.contains(shard))
      found.push_back(
          {shard.first, shard.second, bytes, is_named_missing(state, shard.first, shard.second)});
  return found;
}

}  // namespace tsmfs::snapshot
