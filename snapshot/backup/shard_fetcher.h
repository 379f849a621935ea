// Brings one shard from a server into a repository, whole, or says what is missing.
//
// The protocol has no error channel, and a clean end proves nothing. So what can be checked is: the
// tar's every byte, the names, each TSM file's index and CRCs, and the size against the last
// snapshot. What is not whole is fetched again, since an empty answer can be temporary.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/repository/repository_writer.h"
#include "snapshot/backup/dropped_shards.h"
#include "snapshot/intake/shard_reader.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

// An empty answer can last 10 s (snapshot protocol: the server's cache is being written): the
// pauses sum to 15 s.
struct RetryPolicy {
  std::vector<std::chrono::milliseconds> pauses = {
      std::chrono::milliseconds(1000), std::chrono::milliseconds(2000),
      std::chrono::milliseconds(4000), std::chrono::milliseconds(8000)};
  // An answer that begins sooner has what was in the server's cache (late_points.h).
  std::chrono::milliseconds quick{1000};
};

// Throws: Cancelled.
void pause(std::chrono::milliseconds duration, const std::stop_token& stop);

// What to ask of a shard: all of it, or the files later than a time, or the blocks of a time range.
struct FetchRequest {
  ShardPath path;
  // The shard's size in the last snapshot: one that has shrunk a lot is fetched twice before it is
  // believed. Only for all of it.
  std::optional<uint64_t> bytes_before;
  std::optional<Timestamp> since;
  std::optional<TimeRange> range;
};

struct FetchedShard {
  std::vector<TreeEntry> files;
  uint64_t bytes = 0;
  uint64_t new_bytes = 0;
  unsigned tries = 0;
  bool dropped = false;  // by the server, meanwhile: no files, and no loss
  bool all = false;      // of the shard, though only changes or a range were asked for at first
  // What was in the server's cache when it was asked may not be here: it did not answer at once.
  bool may_lack_cache = false;
  bool unanswered = false;  // when it was asked for last, the server said nothing
  std::vector<Problem>
      problems;  // kIncomplete: the stream never came whole, and `files` are those that came
  bool incomplete() const;
};

// One a thread. Requires: the client has probed; client and writer outlive it.
class ShardFetcher {
 public:
  // `spool_directory` takes what does not fit in memory. `received_bytes` grows as bytes come.
  ShardFetcher(const InfluxdClient& client, index::RepositoryWriter& writer,
               const std::filesystem::path& spool_directory, RetryPolicy retry,
               std::stop_token stop, std::atomic<uint64_t>* received_bytes = nullptr);
  // After a try that failed, the metastore is looked at, and a dropped shard not asked for again.
  // `dropped` outlives the fetcher; it may be that of several. Without it no look is taken.
  void watch(DroppedShards& dropped) { dropped_ = &dropped; }
  // As ShardReader::set_shard_bytes_max.
  void set_shard_bytes_max(uint64_t bytes) { reader_.set_shard_bytes_max(bytes); }
  // Throws: IoError when the repository cannot be written, Cancelled. What the server does wrong
  // becomes a problem.
  FetchedShard fetch(const FetchRequest& request);

 private:
  struct Attempt;
  Attempt try_once(const FetchRequest& request);
  FetchedShard fetch_with(const FetchRequest& request,
                          const std::vector<std::chrono::milliseconds>& pauses);
  // What a person should know of the try that is kept; `last_failure` says why the last one was not
  // whole.
  static void add_problems(const FetchRequest& request, const std::string& last_failure,
                           Attempt& kept, FetchedShard& shard);

  const InfluxdClient& client_;
  ShardReader reader_;
  RetryPolicy retry_;
  DroppedShards* dropped_ = nullptr;
  std::stop_token stop_;
};

}  // namespace tsmfs::snapshot
