// Which shards of a server a backup is to fetch.
#pragma once

#include <vector>

#include "snapshot/filter.h"
#include "snapshot/influxd_client.h"
#include "snapshot/manifest.h"
#include "snapshot/metastore.h"
#include "snapshot/shard_path.h"

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
