#include "snapshot/backup/shard_gatherer.h"

#include <fmt/format.h>

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

// What makes a shard incomplete. Requires: it is.
std::string first_loss(const FetchedShard& shard) {
  return std::ranges::find(shard.problems, Severity::kIncomplete, &Problem::severity)->what;
}

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
               take(requests_[i].path, fetch_if_answered(client, fetcher, requests_[i]));
             });
}

// Once the server is gone no shard is waited for.
FetchedShard ShardGatherer::fetch_if_answered(const InfluxdClient& client, ShardFetcher& fetcher,
                                              const FetchRequest& request) {
  FetchedShard shard;
  if (server_gone_)
    shard.problems.push_back({Severity::kIncomplete, request.path.text(),
                              "was not fetched: the server no longer answers"});
  else
    shard = fetcher.fetch(request);
  if (shard.incomplete() && !server_gone_) look_for_server(client);
  return shard;
}

void ShardGatherer::look_for_server(const InfluxdClient& client) {
  try {
    client.fetch_metastore();
  } catch (const ProtocolError&) {
    server_gone_ = true;
  }
}

void ShardGatherer::take(const ShardPath& path, FetchedShard shard) {
  MutexLock lock(mutex_);
  const FetchedShard& kept = shards_.emplace(path, std::move(shard)).first->second;
  if (options_.progress) options_.progress->shards_done = shards_.size();
  options_.on_shard({path, kept, shards_.size(), requests_.size()});
}

void ShardGatherer::ask_again(Timestamp start) {
  std::vector<FetchRequest> again;
  for (const FetchRequest& request : requests_) {
    MutexLock lock(mutex_);
    const FetchedShard& shard = shards_.at(request.path);
    if (shard.incomplete() || shard.dropped || (request.range && !shard.all)) continue;
    if (!shard.may_lack_cache && !was_written_lately(shard.files, start)) continue;
    again.push_back({request.path, {}, shard.all ? std::nullopt : request.since, {}});
    if (!shard.files.empty()) again.back().since = since_of_later(shard.files, start);
  }
  RetryPolicy retry = options_.retry;
  retry.pauses.resize(std::min(retry.pauses.size(), kSecondLookPauses));
  in_threads(again.size(), retry,
             [&](const InfluxdClient& client, ShardFetcher& fetcher, size_t i) {
               ask_one_again(client, fetcher, again[i]);
             });
  const auto changed = take_late();
  in_threads(changed.size(), options_.retry,
             [&](const InfluxdClient& client, ShardFetcher& fetcher, size_t i) {
               fetch_changed(client, fetcher, changed[i]);
             });
}

void ShardGatherer::ask_one_again(const InfluxdClient& client, ShardFetcher& fetcher,
                                  const FetchRequest& request) {
  const auto files = fetched(request.path).files;
  const bool tombstones = holds_tombstones(files) || with_tombstones_.contains(request.path);
  const CacheWait wait{options_.retry.pauses, options_.retry.quick, !tombstones};
  bool settled = !server_gone_ && wait_written_out(client, request.path, wait, stop_);
  if (!settled) look_for_server(client);
  FetchedShard late;
  if (settled) late = fetch_if_answered(client, fetcher, request);
  if (late.dropped) return;
  settled &= !late.incomplete();
  MutexLock lock(mutex_);
  if (settled)
    late_[request.path] = std::move(late);
  else
    shards_.at(request.path)
        .problems.push_back({Severity::kIncomplete, request.path.text(),
                             server_gone_
                                 ? "came, and then the server no longer answered: points that were "
                                   "in its cache may be missing"
                                 : "came while the server was writing its cache out, which had no "
                                   "end: points that were in the cache may be missing"});
}

// Returns those that the server has changed so that what is later cannot be laid over.
std::vector<FetchRequest> ShardGatherer::take_late() {
  MutexLock lock(mutex_);
  std::vector<FetchRequest> changed;
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
      changed.push_back(request);
      if (shard.all) changed.back() = {request.path, {}, {}, {}};
    }
  }
  return changed;
}

// As it is now: its cache has been written out since the backup began.
void ShardGatherer::fetch_changed(const InfluxdClient& client, ShardFetcher& fetcher,
                                  const FetchRequest& request) {
  FetchedShard now = fetch_if_answered(client, fetcher, request);
  MutexLock lock(mutex_);
  FetchedShard& shard = shards_.at(request.path);
  if (now.dropped) {
    shard.dropped = true;
  } else if (now.incomplete()) {
    shard.problems.push_back(
        {Severity::kIncomplete, request.path.text(),
         fmt::format("was compacted, with points deleted, while it was backed up, and did not come "
                     "once more: it is as it was at first, and may lack what was in the server's "
                     "cache ({})",
                     first_loss(now))});
  } else {
    now.new_bytes += shard.new_bytes;
    now.all = shard.all;
    shard = std::move(now);
    ++late_shards_;
  }
}

void ShardGatherer::confirm(std::vector<CarriedFiles> carried) {
  for (const CarriedFiles& shard : carried)
    if (shard.tombstones) with_tombstones_.insert(shard.path);
  in_threads(carried.size(), options_.retry,
             [&](const InfluxdClient& client, ShardFetcher& fetcher, size_t i) {
               confirm_one(client, fetcher, carried[i]);
             });
}

// Nothing when the server has them all; no name when it did not say.
std::optional<std::string> ShardGatherer::difference(const InfluxdClient& client,
                                                     const CarriedFiles& carried) {
  const auto received = fetched(carried.path).files;
  for (const auto& duration : options_.retry.pauses) {
    try {
      return find_difference(client, carried.path, carried.files, received);
    } catch (const ProtocolError&) {
      if (server_gone_) break;
      pause(duration, stop_);  // it may be busy with the shard
    }
  }
  return "";
}

void ShardGatherer::confirm_one(const InfluxdClient& client, ShardFetcher& fetcher,
                                const CarriedFiles& carried) {
  if (carried.files.empty()) return;
  const auto different = server_gone_ ? "" : difference(client, carried);
  if (!different) return;
  FetchedShard all =
      fetch_if_answered(client, fetcher, {carried.path, carried.bytes_before, {}, {}});
  if (all.incomplete()) {
    const bool said = !different->empty();
    MutexLock lock(mutex_);
    shards_.at(carried.path)
        .problems.push_back(
            {Severity::kIncomplete,
             carried.path.text() + "/" +
                 (said ? *different : std::string(carried.files.front().name.text())),
             fmt::format("is kept from the snapshot before, {}; points that were deleted would "
                         "come back with it",
                         said ? "though the server has another file: " + first_loss(all)
                              : "and the server did not say whether it has it")});
    return;
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
