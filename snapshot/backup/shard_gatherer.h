// Brings the shards of a server into a repository, several at once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/mutex.h"
#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/backup/capture_options.h"
#include "snapshot/backup/dropped_shards.h"
#include "snapshot/backup/shard_fetcher.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

// TSM files of a shard that come from the snapshot before.
struct CarriedFiles {
  ShardPath path;
  std::vector<TreeEntry> files;
  bool tombstones = false;    // come from there as well
  uint64_t bytes_before = 0;  // the shard's size in that snapshot
};

// Used by one thread. Requires: the client has probed; all references outlive it. fetch(),
// ask_again() and confirm() throw IoError, Cancelled; what the server does wrong becomes a problem
// of a shard.
class ShardGatherer {
 public:
  ShardGatherer(const InfluxdClient& client, index::Repository& repository,
                index::RepositoryWriter& writer, const CaptureOptions& options,
                std::stop_token stop)
      : client_(client),
        repository_(repository),
        writer_(writer),
        options_(options),
        stop_(std::move(stop)) {}

  // Once.
  void fetch(std::vector<FetchRequest> requests);
  // For the points that were in the server's cache (late_points.h) when the backup began, at
  // `start`. Shards that may lack them are asked for until they cannot, or have a problem. After
  // fetch().
  void ask_again(Timestamp start);

  // Whether the server still has what a snapshot takes over of the one before, by shard: those of
  // which it lacks a file (its points may have been deleted) are fetched whole. A shard that cannot
  // be settled gets a problem. After fetch().
  void confirm(std::vector<CarriedFiles> carried);
  // What has come of a shard so far. Requires: it was asked for.
  FetchedShard fetched(const ShardPath& path);

  // What came, each shard that was asked for. Once, at the end.
  std::map<ShardPath, FetchedShard> release();
  const DroppedShards& dropped() const { return dropped_; }
  uint64_t late_shards() const { return late_shards_; }  // that brought more in ask_again()

 private:
  using Step = std::function<void(const InfluxdClient&, ShardFetcher&, size_t)>;
  void in_threads(size_t pieces, const RetryPolicy& retry, const Step& step);
  void look_for_server(const InfluxdClient& client);
  void take(const ShardPath& path, FetchedShard shard);
  void confirm_one(const InfluxdClient& client, ShardFetcher& fetcher, const CarriedFiles& carried);
  std::vector<FetchRequest> take_late();
  void ask_one_again(const InfluxdClient& client, ShardFetcher& fetcher,
                     const FetchRequest& request);
  void fetch_changed(const InfluxdClient& client, ShardFetcher& fetcher,
                     const FetchRequest& request);
  FetchedShard fetch_if_answered(const InfluxdClient& client, ShardFetcher& fetcher,
                                 const FetchRequest& request);
  std::optional<std::string> difference(const InfluxdClient& client, const CarriedFiles& carried);

  const InfluxdClient& client_;
  index::Repository& repository_;
  index::RepositoryWriter& writer_;
  const CaptureOptions& options_;
  std::stop_token stop_;
  std::vector<FetchRequest> requests_;
  std::atomic<bool> server_gone_ = false;
  uint64_t late_shards_ = 0;
  DroppedShards dropped_;
  std::set<ShardPath> with_tombstones_;  // of what the snapshot before has
  Mutex mutex_;
  std::map<ShardPath, FetchedShard> late_ TSMFS_GUARDED_BY(mutex_);
  std::map<ShardPath, FetchedShard> shards_ TSMFS_GUARDED_BY(mutex_);
};

}  // namespace tsmfs::snapshot
