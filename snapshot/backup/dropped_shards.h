// Which shards a server has dropped since a backup began, as its metastore tells.
#pragma once

#include <optional>

#include "index/base/mutex.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

// Thread safe. A shard's ID never comes back, so what one look at the metastore says of a dropped
// shard holds for the whole backup, and one look tells of all of them.
class DroppedShards {
 public:
  // By the last look; false before the first.
  bool known(const ShardPath& path) const;
  // Takes a look, unless the last one told already. The lists of shards are not asked: they are
  // also without a shard that failed to open. A metastore that does not come says nothing. Throws:
  // Cancelled.
  bool look(const InfluxdClient& client, const ShardPath& path);

 private:
  mutable Mutex mutex_;
  std::optional<Metastore> last_ TSMFS_GUARDED_BY(mutex_);
};

}  // namespace tsmfs::snapshot
