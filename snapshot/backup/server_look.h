// What a server says that it has: its metastore, and its lists of shards.
#pragma once

#include "index/base/timestamp.h"
#include "snapshot/backup/shard_list.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/filter.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

struct MetastoreState {
  MetastoreAnswer answer;
  Metastore view;
};

// Throws: ProtocolError, also for what is no metastore; Cancelled.
MetastoreState fetch_metastore(const InfluxdClient& client);

struct ServerLook {
  Timestamp time;  // before the server was asked
  MetastoreState metastore;
  ShardList list;  // of what the filter lets through
};

// Requires: the client has probed. Throws: ProtocolError; UsageError when the filter names what the
// server does not have; Cancelled.
ServerLook look_at_server(const InfluxdClient& client, const Filter& filter);

}  // namespace tsmfs::snapshot
