// One run of `tsmfs backup`: what a server has, as a new snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/backup/capture_options.h"
#include "snapshot/backup/server_look.h"
#include "snapshot/model/catalog.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

struct Captured {
  SnapshotPtr snapshot;
  // Of a run with `since`: files that came, that were carried over, and that were left out because
  // a newer one holds their points.
  size_t received_files = 0;
  size_t carried_files = 0;
  size_t superseded_files = 0;
  uint64_t late_shards = 0;  // that brought more when they were asked once more (late_points.h)
};

// The snapshot, published. It is kept when shards are missing (Manifest::problems names them).
// Requires: `repository` is open for writing, `writer` is its writer, `client` has probed, and
// `look` is what it has seen, a moment ago, of what the filter takes. Throws: IoError; Cancelled.
// Nothing is published then, and what was stored is found again by the next run.
Captured capture(InfluxdClient& client, const ServerLook& look, index::Repository& repository,
                 index::RepositoryWriter& writer, Catalog& catalog, const CaptureOptions& options,
                 std::stop_token stop);

}  // namespace tsmfs::snapshot
