#include "snapshot/backup/dropped_shards.h"

#include <utility>

#include "index/base/error.h"
#include "snapshot/backup/server_look.h"

namespace tsmfs::snapshot {

bool DroppedShards::known(const ShardPath& path) const {
  MutexLock lock(mutex_);
  return last_ && !last_->has_shard(path);
}

bool DroppedShards::look(const InfluxdClient& client, const ShardPath& path) {
  if (known(path)) return true;
  try {
    Metastore seen = fetch_metastore(client).view;
    MutexLock lock(mutex_);
    last_ = std::move(seen);
    return !last_->has_shard(path);
  } catch (const ProtocolError&) {
    return false;
  }
}

}  // namespace tsmfs::snapshot
