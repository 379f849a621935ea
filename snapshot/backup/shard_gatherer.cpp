#include "snapshot/backup/shard_gatherer.h"

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "index/base/share_work.h"
#include "snapshot/backup/late_points.h"
#include "snapshot/backup/still_there.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

constexpr size_t kSecondLookPauses = 2;  // of a request that may well bring nothing

}  // namespace

// Each with a client and a fetcher of its own. A failure of one thread ends the others at once,
// also where they wait for the server.
void ShardGatherer::in_threads(size_t pieces, const RetryPolicy& retry, const Step& step) {
  share_work(pieces, options_.jobs, stop_, [&](SharedWork& work) {
    const InfluxdClient client = client_.with_stop(work.stop());
    ShardFetcher fetcher(client, writer_, repository_.local().tmp(), retry, work.stop(),
                         options_.progress ? &options_.progress->received_bytes : nullptr);
    fetcher.watch(dropped_);
    fetcher.set_shard_bytes_max(options_.shard_bytes_max);
    while (const auto piece = work.take()) step(client, fetcher, *piece);
  });
}

void ShardGatherer::fetch(std::vector<FetchRequest> requests) {
  requests_ = std::move(requests);
  if (options_.progress) options_.progress->shards_total = requests_.size();
  in_threads(requests_.size(), options_.retry,
             [&](const InfluxdClient& client, ShardFetcher& fetcher, size_t i) {
               const FetchRequest& request = requests_[i];
               if (server_gone_) {
                 FetchedShard none;
                 none.problems.push_back({Severity::kIncomplete, request.path.text(),
                                          "was not fetched: the server no longer answers"});
                 take(request.path, std::move(none));
                 return;
               }
               if (!take(request.path, fetcher.fetch(request))) look_for_server(client);
             });
}

void ShardGatherer::look_for_server(const InfluxdClient& client) {
  try {
    client.fetch_metastore();
  } catch (const ProtocolError&) {
    server_gone_ = true;
  }
}

bool ShardGatherer::take(const ShardPath& path, FetchedShard shard) {
  MutexLock lock(mutex_);
  const FetchedShard& kept = shards_.emplace(path, std::move(shard)).first->second;
  if (options_.progress) options_.progress->shards_done = shards_.size();
  options_.on_shard({path, kept, shards_.size(), requests_.size()});
  return !kept.incomplete();
}

void ShardGatherer::ask_again(Timestamp start) {
  if (client_.dialect() == Dialect::k14) return;  // those answer nothing without the cache
  std::vector<FetchRequest> again;
  for (const FetchRequest& request : requests_) {
    MutexLock lock(mutex_);
    const FetchedShard& shard = shards_.at(request.path);
    if (!shard.may_lack_cache || shard.incomplete() || shard.dropped) continue;
    again.push_back({request.path, {}, shard.all ? std::nullopt : request.since, {}});
    if (!shard.files.empty()) again.back().since = since_of_later(shard.files, start);
  }
  RetryPolicy retry = options_.retry;
  retry.pauses.resize(std::min(retry.pauses.size(), kSecondLookPauses));
  in_threads(again.size(), retry,
             [&](const InfluxdClient& client, ShardFetcher& fetcher, size_t i) {
               ask_one_again(client, fetcher, again[i]);
             });
  take_late();
}

void ShardGatherer::ask_one_again(const InfluxdClient& client, ShardFetcher& fetcher,
                                  const FetchRequest& request) {
  const auto settles = [](const FetchedShard& late) {
    return late.dropped || (!late.incomplete() && !late.may_lack_cache);
  };
  FetchedShard late = fetcher.fetch(request);
  bool settled = settles(late);
  // A probe leaves files open in a server where the shard has tombstones.
  const bool probes = !holds_tombstones(fetched(request.path).files);
  for (const auto& duration : cache_pauses(options_.retry.pauses)) {
    if (settled || server_gone_) break;
    if (late.incomplete()) look_for_server(client);
    if (probes) {
      settled = is_written_out(client, request.path);
      if (settled) late = fetcher.fetch(request);
    } else {
      late = fetcher.fetch(request);
      settled = settles(late);
    }
    if (!settled) pause(duration, stop_);
  }
  settled &= !late.incomplete();
  if (late.dropped) return;
  MutexLock lock(mutex_);
  if (!settled)
    shards_.at(request.path)
        .problems.push_back({Severity::kIncomplete, request.path.text(),
                             "came while the server was writing its cache out, which had no end: "
                             "points that were in the cache may be missing"});
  if (!late.incomplete()) late_[request.path] = std::move(late);
}

void ShardGatherer::take_late() {
  MutexLock lock(mutex_);
  bool compactions = false;
  for (auto& [path, late] : late_) {
    shards_.at(path).new_bytes += late.new_bytes;
    drop_known(shards_.at(path).files, late.files);
    compactions |= holds_compactions(late.files);
  }
  if (compactions) writer_.flush();
  for (const FetchRequest& request : requests_) {
    const auto late = late_.find(request.path);
    if (late == late_.end() || late->second.files.empty()) continue;
    FetchedShard& shard = shards_.at(request.path);
    auto both = lay_later_over(repository_.objects(), shard.files, late->second.files);
    if (both) {
      shard.files = std::move(*both);
      for (Problem& problem : late->second.problems) shard.problems.push_back(std::move(problem));
      ++late_shards_;
    } else {
      shard.problems.push_back(
          {Severity::kIncomplete, request.path.text(),
           "was compacted, and points deleted, while it was backed up: it is as it was at first, "
           "and may lack what was in the server's cache"});
    }
  }
}

void ShardGatherer::confirm(std::vector<CarriedFiles> carried) {
  in_threads(carried.size(), options_.retry,
             [&](const InfluxdClient& client, ShardFetcher& fetcher, size_t i) {
               confirm_one(client, fetcher, carried[i]);
             });
}

void ShardGatherer::confirm_one(const InfluxdClient& client, ShardFetcher& fetcher,
                                const CarriedFiles& carried) {
  const auto keep = [&](const std::string& file, const std::string& why) {
    MutexLock lock(mutex_);
    shards_.at(carried.path)
        .problems.push_back({Severity::kIncomplete, carried.path.text() + "/" + file,
                             "is kept from the snapshot before, " + why +
                                 "; points that were deleted would come back with it"});
  };
  const std::string& first = carried.files.front().name.text();
  if (server_gone_) return keep(first, "and the server no longer answers whether it has it");
  std::string different;
  try {
    auto found = find_difference(client, carried.path, carried.files, fetched(carried.path).files);
    if (!found) return;
    different = std::move(*found);
  } catch (const ProtocolError&) {
    different = first;  // the server may be busy with the shard; a fetch waits for it
  }
  FetchedShard all = fetcher.fetch({carried.path, {}, {}, {}});
  if (all.incomplete()) {
    keep(different, "though the server does not have it: " + all.problems.front().what);
    return look_for_server(client);
  }
  MutexLock lock(mutex_);
  FetchedShard& shard = shards_.at(carried.path);
  all.new_bytes += shard.new_bytes;
  all.all = true;
  shard = std::move(all);
}

FetchedShard ShardGatherer::fetched(const ShardPath& path) {
  MutexLock lock(mutex_);
  return shards_.at(path);
}

std::map<ShardPath, FetchedShard> ShardGatherer::release() {
  MutexLock lock(mutex_);
  return std::move(shards_);
}

}  // namespace tsmfs::snapshot
