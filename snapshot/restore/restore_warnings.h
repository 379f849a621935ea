// What a person should know of an offline restore before it is done.
#pragma once

#include <optional>
#include <string>

#include "index/repository/object_reader.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/restore/restore_plan.h"

namespace tsmfs::snapshot {

// Adds to `plan`, whose shards and metastore are planned, what the snapshot, the versions, the
// retention and the write-ahead log give reason to say. `metastore` is the snapshot's, if it has
// one. Throws: CorruptError, IoError.
void add_warnings(index::ObjectReader& objects, const RestoreRequest& request,
                  const std::optional<Metastore>& metastore, const ShardMoves& moves,
                  RestorePlan& plan);

}  // namespace tsmfs::snapshot
