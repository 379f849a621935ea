// Which shards of a server a backup is to fetch.
#pragma once

#include <cstdint>
#include <map>
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

// Asks for the shards of each database that the filter takes. `sizes_before` has the shards of the
// last snapshot with this filter: one of them that the metastore still knows, but the server no
// longer offers, may have failed to open, of which the server says nothing.
// Throws: UsageError, saying what there is, when the filter names what the server does not have;
// ProtocolError; Cancelled.
ShardList list_shards(const InfluxdClient& client, const Metastore& metastore, const Filter& filter,
                      const std::map<ShardPath, uint64_t>& sizes_before);

}  // namespace tsmfs::snapshot
