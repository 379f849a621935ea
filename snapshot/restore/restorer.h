// Restores a snapshot, or a part of it, into the directories of an influxd that is not running.
//
// plan_restore() says what is to be done, check_target() whether it can be, restore() does it.
//
// Each shard is staged beside its place: read ahead on several threads, its digests checked, synced
// in batches, renamed. meta.db comes last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>

#include "index/repository/repository.h"
#include "snapshot/restore/restore_plan.h"
#include "snapshot/restore/restore_target.h"

namespace tsmfs::snapshot {

struct RestoredShard {
  const RestoreShard& shard;
  size_t done = 0;  // shards in place, this one included
  size_t total = 0;
};

// Readable at any time, by any thread.
struct RestoreProgress {
  std::atomic<uint64_t> written_bytes = 0;
  std::atomic<size_t> shards_done = 0;  // in place
};

struct RestoreOptions {
  unsigned threads = 0;  // that decompress ahead; 0: as many as there are cores, 2 to 8
  bool verify = false;   // read everything back from the disk and compare it
  RestoreProgress* progress = nullptr;  // kept up to date, when there is one
  // Told by another thread, one at a time.
  std::function<void(const RestoredShard&)> on_shard = [](const RestoredShard&) {};
};

// Writes the data, each shard whole or not at all, then meta.db. Requires: check_target() had no
// objection. Throws: CorruptError when stored data are damaged, or what was written reads back
// otherwise; BusyError when an influxd was started or another restore is at work; IoError;
// Cancelled. No temporary file stays, whole shards do; meta.db is the old one unless all shards are
// in place.
void restore(index::Repository& repository, const RestorePlan& plan, const RestoreRequest& request,
             const RestoreOptions& options, std::stop_token stop);

}  // namespace tsmfs::snapshot
