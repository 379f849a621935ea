// One run of `tsmfs backup`: everything a server has, as a new snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "index/repository.h"
#include "index/repository_writer.h"
#include "snapshot/catalog.h"
#include "snapshot/influxd_client.h"
#include "snapshot/shard_fetcher.h"

namespace tsmfs::snapshot {

// Told of each shard when it is done, from several threads, one at a time.
struct ShardReport {
  const ShardPath& path;
  const FetchedShard& shard;
  size_t done = 0;
  size_t total = 0;
};

struct CaptureOptions {
  std::string server;   // the name in the history
  std::string dialect;  // dialect_name() of what the probe found
  unsigned jobs = 2;    // shards at once
  RetryPolicy retry;
  std::function<void(const ShardReport&)> on_shard = [](const ShardReport&) {};
};

// The snapshot, published. It is kept when shards are missing (Manifest::problems names them).
// Requires: `repository` is open for writing, `writer` is its writer, and `client` has probed.
// Throws: ProtocolError when not even the metastore and the lists of shards come; IoError;
// Cancelled. Nothing is published then, and what was stored is found again by the next run.
SnapshotPtr capture(InfluxdClient& client, index::Repository& repository,
                    index::RepositoryWriter& writer, Catalog& catalog,
                    const CaptureOptions& options, std::stop_token stop);

}  // namespace tsmfs::snapshot
