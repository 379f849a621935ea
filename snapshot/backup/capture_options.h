// What a backup is to do, and how it tells how far it is.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "snapshot/backup/shard_fetcher.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

// Told of each shard when it is done, from several threads, one at a time.
struct ShardReport {
  const ShardPath& path;
  const FetchedShard& shard;
  size_t done = 0;
  size_t total = 0;
};

// How far a capture is; for another thread to look at.
struct CaptureProgress {
  std::atomic<uint64_t> received_bytes = 0;
  std::atomic<uint64_t> expected_bytes = 0;  // what the last snapshot had; 0 when that says nothing
  std::atomic<size_t> shards_done = 0;
  std::atomic<size_t> shards_total = 0;
};

// Ask only for files later than a time, and lay them over the last snapshot.
struct Since {
  std::optional<Timestamp> time;  // absent: since that snapshot, with a margin (kSinceMargin)
};
// A compaction's output can carry an older mtime than the moment in which it was put in place.
constexpr int64_t kSinceMarginNs = int64_t{600} * 1'000'000'000;

struct CaptureOptions {
  std::string server;   // the name in the history
  std::string address;  // how a person named it; the client's endpoint when empty
  std::string dialect;  // dialect_name() of what the probe found
  Filter filter;
  std::optional<Since> since;
  unsigned jobs = 2;  // shards at once
  uint64_t shard_bytes_max = kShardBytesMaxDefault;
  std::vector<std::string> tags;
  std::set<uint64_t> accept_missing;  // shards that may be missing from now on
  RetryPolicy retry;
  std::function<void(const ShardReport&)> on_shard = [](const ShardReport&) {};
  CaptureProgress* progress = nullptr;
};

}  // namespace tsmfs::snapshot
