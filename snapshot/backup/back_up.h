// One run of `tsmfs backup`: a server is asked, and what it has becomes a snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/backup/capture.h"
#include "snapshot/server/endpoint.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

struct BackupRequest {
  index::OpenOptions repository;  // made when there is none
  index::WriterOptions writer;
  Endpoint endpoint;
  InfluxdOptions connection;
  CaptureOptions capture;                    // its dialect is that of the server
  std::function<void()> on_created = [] {};  // the repository, when it is made
  std::function<void()> on_begin = [] {};    // nothing is in the way; before the first shard
};

struct BackupResult {
  Captured captured;
  std::vector<uint64_t>
      not_missing;  // of the shards that are accepted as missing: another was meant
  bool incomplete() const { return captured.snapshot->incomplete(); }
};

// The server is asked first: a repository is not made for a backup that cannot begin. Throws: as
// InfluxdClient, look_at_server() and capture(); UsageError when the server cannot do what is asked
// for; NoRepositoryError, BusyError.
BackupResult back_up(BackupRequest request, const std::stop_token& stop);

}  // namespace tsmfs::snapshot
