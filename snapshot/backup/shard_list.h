// Which shards of a server a backup is to fetch.
#pragma once

#include <vector>

#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

struct ShardList {
  std::vector<ShardPath> shards;  // sorted
  std::vector<Problem> problems;
};

// Asks for the shards of each database that the filter takes. Shards that the metastore knows and
// the server does not offer are not among them (missing_shards.h).
// Throws: UsageError, saying what there is, when the filter names what the server does not have;
// ProtocolError; Cancelled.
ShardList list_shards(const InfluxdClient& client, const Metastore& metastore,
                      const Filter& filter);

}  // namespace tsmfs::snapshot
