#include "snapshot/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "index/base/error.h"
#include "index/base/mutex.h"
#include "index/base/thread_group.h"
#include "snapshot/dropped_shards.h"
#include "snapshot/metastore.h"
#include "snapshot/missing_shards.h"
#include "snapshot/overlay.h"
#include "snapshot/past_snapshot.h"
#include "snapshot/server_settings.h"
#include "snapshot/shard_list.h"
#include "snapshot/snapshot_builder.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

struct MetastoreState {
  MetastoreAnswer answer;
  Metastore view;
};

MetastoreState fetch_metastore(const InfluxdClient& client) {
  MetastoreAnswer answer = client.fetch_metastore();
  try {
    Metastore view =
        Metastore::parse(answer.meta_db, "the metastore of " + client.endpoint().text());
    return {std::move(answer), std::move(view)};
  } catch (const CorruptError& error) {
    throw ProtocolError(error.what());
  }
}

Manifest begin_manifest(const InfluxdClient& client, const CaptureOptions& options,
                        const SnapshotPtr& parent) {
  Manifest manifest;
  manifest.time = now();
  manifest.server = options.server;
  manifest.address = options.address.empty() ? client.endpoint().text() : options.address;
  manifest.dialect = options.dialect;
  manifest.filter = options.filter;
  manifest.tags = options.tags;
  manifest.partial = options.filter.range.has_value();
  if (parent) manifest.parent = parent->id;
  return manifest;
}

class Capture {
 public:
  Capture(InfluxdClient& client, index::Repository& repository, index::RepositoryWriter& writer,
          Catalog& catalog, const CaptureOptions& options, std::stop_token stop)
      : client_(client),
        repository_(repository),
        writer_(writer),
        catalog_(catalog),
        options_(options),
        stop_(std::move(stop)),
        parent_(last_snapshot(*catalog.refresh(), options.server, options.filter)),
        builder_(repository, writer, catalog, begin_manifest(client, options, parent_)) {}
  Captured run();

 private:
  void look_at_parent();
  void set_since();
  void list(const Metastore& metastore);
  FetchRequest request_for(const ShardPath& path) const;
  void fetch_shards();
  void fetch_loop(std::stop_source& failed);
  bool take(const ShardPath& path, FetchedShard shard);
  void drop_removed_shards(const Metastore* after);
  std::optional<MetastoreState> fetch_metastore_again();
  const MetastoreState& choose_metastore(const MetastoreState& before,
                                         const std::optional<MetastoreState>& after);
  void add_shards();
  std::vector<TreeEntry> laid_over(const ShardPath& path, FetchedShard& shard);
  void judge(const Metastore& before, const Metastore* after);

  InfluxdClient& client_;
  index::Repository& repository_;
  index::RepositoryWriter& writer_;
  Catalog& catalog_;
  const CaptureOptions& options_;
  std::stop_token stop_;
  SnapshotPtr parent_;
  SnapshotBuilder builder_;

  std::map<ShardPath, TreeEntry> parent_shards_;
  std::set<std::string> parent_lacks_;
  std::optional<Timestamp> since_;
  std::vector<ShardPath> work_;
  std::map<ShardPath, ShardHere> here_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> server_gone_ = false;
  DroppedShards dropped_;
  Captured result_;
  Mutex mutex_;
  std::map<ShardPath, FetchedShard> shards_ TSMFS_GUARDED_BY(mutex_);
  std::exception_ptr failure_ TSMFS_GUARDED_BY(mutex_);
};

Captured Capture::run() {
  look_at_parent();
  set_since();
  const MetastoreState before = fetch_metastore(client_);
  list(before.view);
  fetch_shards();
  const auto after = fetch_metastore_again();
  drop_removed_shards(after ? &after->view : nullptr);
  const MetastoreState& kept = choose_metastore(before, after);
  add_shards();
  judge(before.view, after ? &after->view : nullptr);
  for (const MetaDatabase& database : kept.view.databases())
    builder_.manifest().databases.push_back(database.name);
  builder_.add_meta_file("meta.db", kept.answer.meta_db);
  builder_.add_meta_file("node.json", kept.answer.node_json);
  result_.snapshot = builder_.publish();
  return result_;
}

void Capture::look_at_parent() {
  if (!parent_) return;
  try {
    parent_shards_ = shard_entries(repository_.objects(), *parent_);
    parent_lacks_ = incomplete_paths(*parent_);
  } catch (const Error& error) {
    builder_.problem(Severity::kWarning, "",
                     fmt::format("could not be compared with snapshot {}: {}", parent_->short_id(),
                                 error.what()));
  }
}

// A shard that the parent has whole is asked for what is later than since_; any other for all.
void Capture::set_since() {
  if (!options_.since) return;
  Manifest& manifest = builder_.manifest();
  if (!parent_) {
    since_ = options_.since->time;
    manifest.partial |= since_.has_value();
    return;
  }
  manifest.partial |= parent_->partial;
  since_ = options_.since->time.value_or(shifted(parent_->time, -kSinceMarginNs));
  if (*since_ <= parent_->time) return;
  manifest.partial = true;
  builder_.problem(
      Severity::kWarning, "",
      fmt::format("what changed between {} (the snapshot before) and {} was not asked for",
                  format_rfc3339(parent_->time), format_rfc3339(*since_)));
}

void Capture::list(const Metastore& metastore) {
  uint64_t expected = 0;
  for (const auto& [path, entry] : parent_shards_) expected += entry.size;
  ShardList list = list_shards(client_, metastore, options_.filter);
  work_ = std::move(list.shards);
  for (Problem& problem : list.problems)
    builder_.problem(problem.severity, std::move(problem.path), std::move(problem.what));
  if (!options_.progress) return;
  options_.progress->shards_total = work_.size();
  if (!since_ && !options_.filter.range) options_.progress->expected_bytes = expected;
}

FetchRequest Capture::request_for(const ShardPath& path) const {
  FetchRequest request{path, {}, {}, options_.filter.range};
  const auto before = parent_shards_.find(path);
  const bool parent_has = before != parent_shards_.end() && !parent_lacks_.contains(path.text());
  if (since_ && (parent_has || !parent_)) request.since = since_;
  if (!request.since && !request.range && before != parent_shards_.end())
    request.bytes_before = before->second.size;
  return request;
}

void Capture::fetch_shards() {
  std::stop_source failed;
  const std::stop_callback forward(stop_, [&] { failed.request_stop(); });
  {
    ThreadGroup threads([&] { failed.request_stop(); });
    const size_t count = std::min<size_t>(std::max(1u, options_.jobs), work_.size());
    for (size_t i = 0; i < count; ++i) threads.start([&] { fetch_loop(failed); });
    threads.join();
  }
  MutexLock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void Capture::fetch_loop(std::stop_source& failed) {
  try {
    // A failure of one thread ends the others at once, also where they wait for the server.
    const InfluxdClient client = client_.with_stop(failed.get_token());
    ShardFetcher fetcher(client, writer_, repository_.paths().tmp(), options_.retry,
                         failed.get_token(),
                         options_.progress ? &options_.progress->received_bytes : nullptr);
    fetcher.watch(dropped_);
    fetcher.set_shard_bytes_max(options_.shard_bytes_max);
    for (size_t i = next_++; i < work_.size(); i = next_++) {
      if (failed.stop_requested()) throw Cancelled();
      const ShardPath& path = work_[i];
      if (server_gone_) {
        FetchedShard none;
        none.problems.push_back(
            {Severity::kIncomplete, path.text(), "was not fetched: the server no longer answers"});
        take(path, std::move(none));
        continue;
      }
      if (take(path, fetcher.fetch(request_for(path)))) continue;
      try {
        client.fetch_metastore();
      } catch (const ProtocolError&) {
        server_gone_ = true;
      }
    }
  } catch (...) {
    MutexLock lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    failed.request_stop();
  }
}

bool Capture::take(const ShardPath& path, FetchedShard shard) {
  MutexLock lock(mutex_);
  const FetchedShard& kept = shards_.emplace(path, std::move(shard)).first->second;
  if (options_.progress) options_.progress->shards_done = shards_.size();
  options_.on_shard({path, kept, shards_.size(), work_.size()});
  return !kept.incomplete();
}

// A shard that the server dropped (by retention, or DROP) while it was to be fetched is no loss.
// Only the metastore can tell: the lists are also without a shard that failed to open.
void Capture::drop_removed_shards(const Metastore* after) {
  MutexLock lock(mutex_);
  for (auto it = shards_.begin(); it != shards_.end();) {
    const auto& [path, shard] = *it;
    const bool removed = shard.dropped || (shard.incomplete() && after && !after->has_shard(path));
    if (removed)
      builder_.problem(Severity::kWarning, path.text(),
                       "was dropped by the server during the backup");
    it = removed ? shards_.erase(it) : std::next(it);
  }
}

std::optional<MetastoreState> Capture::fetch_metastore_again() {
  try {
    return fetch_metastore(client_);
  } catch (const ProtocolError& error) {
    builder_.problem(
        Severity::kWarning, "",
        fmt::format("the metastore could not be compared after the shards: {}", error.what()));
    return std::nullopt;
  }
}

// The later metastore is kept, unless it has forgotten a shard that is here: a copied shard that
// its metastore does not know would be ignored, and reappear in a new shard of that number.
const MetastoreState& Capture::choose_metastore(const MetastoreState& before,
                                                const std::optional<MetastoreState>& after) {
  if (!after || same_metastore(after->answer.meta_db, before.answer.meta_db)) return before;
  builder_.manifest().metastore_changed = true;
  MutexLock lock(mutex_);
  const bool forgets = std::ranges::any_of(shards_, [&](const auto& entry) {
    return before.view.has_shard(entry.first) && !after->view.has_shard(entry.first);
  });
  return forgets ? before : *after;
}

void Capture::add_shards() {
  if (since_) writer_.flush();  // lay_over() reads what has come
  MutexLock lock(mutex_);
  for (auto& [path, shard] : shards_) {
    std::vector<TreeEntry> files = laid_over(path, shard);
    for (Problem& problem : shard.problems)
      builder_.problem(problem.severity, std::move(problem.path), std::move(problem.what));
    const auto bytes =
        std::accumulate(files.begin(), files.end(), uint64_t{0},
                        [](uint64_t sum, const TreeEntry& file) { return sum + file.size; });
    here_[path] = {bytes, !shard.incomplete()};
    builder_.add_shard(path, std::move(files), shard.new_bytes);
  }
}

// What the server dropped meanwhile is no loss, and what it made meanwhile no shard of this backup.
void Capture::judge(const Metastore& before, const Metastore* after) {
  Manifest& manifest = builder_.manifest();
  manifest.extent.emplace().since = since_;
  ExtentQuestion question{before, here_,
                          "is in the metastore, but the server does not offer it: see influxd's "
                          "log, the shard may have failed to open",
                          [&](const ShardPath& path) {
                            return here_.contains(path) ||
                                   (!dropped_.known(path) && (!after || after->has_shard(path)));
                          },
                          options_.accept_missing};
  PastShards past(repository_.objects(), *catalog_.state(), options_.server, manifest.time);
  judge_extent(manifest, question, past);
}

// What came of a shard, over what the parent had of it when only changes were asked for.
std::vector<TreeEntry> Capture::laid_over(const ShardPath& path, FetchedShard& shard) {
  if (!since_) return std::move(shard.files);
  result_.received_files += shard.files.size();
  if (!parent_ || !request_for(path).since) return std::move(shard.files);
  const Tree earlier = read_tree(repository_.objects(), parent_shards_.at(path).directory());
  Overlay overlay = lay_over(repository_.objects(), earlier.entries(), shard.files);
  result_.carried_files += overlay.carried_over;
  result_.superseded_files += overlay.superseded.size();
  for (const std::string& file : overlay.unexplained)
    shard.problems.push_back(
        {Severity::kIncomplete, path.text() + "/" + file,
         "is kept from the snapshot before, though a compaction may have replaced it: points of it "
         "are missing in the newer file, may have been deleted, and would come back; a backup "
         "without --since tells"});
  return std::move(overlay.files);
}

}  // namespace

Captured capture(InfluxdClient& client, index::Repository& repository,
                 index::RepositoryWriter& writer, Catalog& catalog, const CaptureOptions& options,
                 std::stop_token stop) {
  return Capture(client, repository, writer, catalog, options, std::move(stop)).run();
}

}  // namespace tsmfs::snapshot
