#include "snapshot/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "index/base/error.h"
#include "index/base/mutex.h"
#include "snapshot/metastore.h"
#include "snapshot/past_snapshot.h"
#include "snapshot/quote.h"
#include "snapshot/tree_store.h"

namespace tsmfs::snapshot {

namespace {

constexpr uint32_t kMetaFileMode = 0600;  // it holds password hashes

using Severity = Problem::Severity;

class Capture {
 public:
  Capture(InfluxdClient& client, index::Repository& repository, index::RepositoryWriter& writer,
          Catalog& catalog, const CaptureOptions& options, std::stop_token stop)
      : client_(client),
        repository_(repository),
        writer_(writer),
        catalog_(catalog),
        options_(options),
        stop_(std::move(stop)) {}
  SnapshotPtr run();

 private:
  struct MetastoreState {
    MetastoreAnswer answer;
    Metastore view;
  };
  MetastoreState fetch_metastore() const;
  void look_at_parent();
  void list_shards(const Metastore& metastore);
  void note_unoffered_shards(const Metastore& metastore);
  void fetch_shards();
  void fetch_loop(std::stop_source& failed);
  bool take(const ShardPath& path, FetchedShard shard);
  void drop_removed_shards(const Metastore& after);
  const MetastoreState& choose_metastore(const MetastoreState& before,
                                         const std::optional<MetastoreState>& after);
  std::optional<MetastoreState> fetch_metastore_again();
  StoredTree store_meta(const MetastoreAnswer& answer);
  TreeEntry store_meta_file(std::string name, ByteView content, const Tree* parent_meta);
  void problem(Severity severity, std::string path, std::string what);

  InfluxdClient& client_;
  index::Repository& repository_;
  index::RepositoryWriter& writer_;
  Catalog& catalog_;
  const CaptureOptions& options_;
  std::stop_token stop_;

  Manifest manifest_;
  SnapshotPtr parent_;
  std::map<ShardPath, uint64_t> parent_sizes_;
  std::vector<ShardPath> work_;
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> server_gone_ = false;
  Mutex mutex_;
  std::map<ShardPath, FetchedShard> shards_ TSMFS_GUARDED_BY(mutex_);
  std::exception_ptr failure_ TSMFS_GUARDED_BY(mutex_);
};

SnapshotPtr Capture::run() {
  manifest_.id = index::random_id<index::SnapshotId>();
  manifest_.time = now();
  manifest_.server = options_.server;
  manifest_.address = client_.endpoint().text();
  manifest_.dialect = options_.dialect;
  manifest_.program = std::string("tsmfs ") + TSMFS_VERSION;
  look_at_parent();
  const MetastoreState before = fetch_metastore();
  list_shards(before.view);
  note_unoffered_shards(before.view);
  fetch_shards();
  const auto after = fetch_metastore_again();
  if (after) drop_removed_shards(after->view);
  const MetastoreState& kept = choose_metastore(before, after);

  MutexLock lock(mutex_);
  std::map<ShardPath, std::vector<TreeEntry>> files;
  for (auto& [path, shard] : shards_) {
    manifest_.files += shard.files.size();
    manifest_.new_bytes += shard.new_bytes;
    manifest_.problems.insert(manifest_.problems.end(), shard.problems.begin(),
                              shard.problems.end());
    files.emplace(path, std::move(shard.files));
  }
  const StoredTree data = store_data_tree(writer_, files);
  const StoredTree meta = store_meta(kept.answer);
  writer_.flush();
  for (const MetaDatabase& database : kept.view.databases())
    manifest_.databases.push_back(database.name);
  manifest_.data = data.id;
  manifest_.data_below = data.totals.below;
  manifest_.bytes = data.totals.size;
  manifest_.meta = meta.id;
  manifest_.meta_below = meta.totals.below;
  manifest_.shards = shards_.size();
  manifest_.stored_bytes = writer_.totals().stored_bytes;
  manifest_.finished = now();
  return catalog_.publish(std::move(manifest_));
}

Capture::MetastoreState Capture::fetch_metastore() const {
  MetastoreAnswer answer = client_.fetch_metastore();
  Metastore view = [&] {
    try {
      return Metastore::parse(answer.meta_db, "the metastore of " + client_.endpoint().text());
    } catch (const CorruptError& error) {
      throw ProtocolError(error.what());
    }
  }();
  return {std::move(answer), std::move(view)};
}

void Capture::look_at_parent() {
  parent_ = last_snapshot(*catalog_.refresh(), options_.server);
  if (!parent_) return;
  manifest_.parent = parent_->id;
  try {
    parent_sizes_ = shard_sizes(repository_.objects(), *parent_);
  } catch (const Error& error) {
    problem(Severity::kWarning, "",
            fmt::format("could not be compared with snapshot {}: {}", parent_->short_id(),
                        error.what()));
  }
}

void Capture::list_shards(const Metastore& metastore) {
  for (const MetaDatabase& database : metastore.databases()) {
    if (!is_valid_name(database.name)) {
      problem(
          Severity::kIncomplete, "",
          fmt::format("database {} has a name that no directory can have", quote(database.name)));
      continue;
    }
    const auto paths = client_.list_shards(database.name);
    if (paths)
      work_.insert(work_.end(), paths->begin(), paths->end());
    else
      problem(Severity::kIncomplete, database.name,
              "the metastore names this database, but the server says that it does not know it");
  }
}

// A shard that failed to open on the server is missing from its lists, without a word.
void Capture::note_unoffered_shards(const Metastore& metastore) {
  for (const auto& [path, bytes] : parent_sizes_) {
    if (bytes == 0 || std::find(work_.begin(), work_.end(), path) != work_.end()) continue;
    const auto place = metastore.find_shard(path.shard);
    if (place && !place->group->deleted && place->database->name == path.database &&
        place->policy->name == path.policy)
      problem(Severity::kIncomplete, path.text(),
              fmt::format("had {} bytes in the last snapshot and is still in the metastore, but "
                          "the server does not offer it: see "
                          "influxd's log, the shard may have failed to open",
                          bytes));
  }
}

void Capture::fetch_shards() {
  std::stop_source failed;
  const std::stop_callback forward(stop_, [&] { failed.request_stop(); });
  {
    std::vector<std::jthread> threads;
    const size_t count = std::min<size_t>(std::max(1u, options_.jobs), work_.size());
    for (size_t i = 0; i < count; ++i) threads.emplace_back([&] { fetch_loop(failed); });
  }
  MutexLock lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
}

void Capture::fetch_loop(std::stop_source& failed) {
  try {
    ShardFetcher fetcher(client_, writer_, repository_.paths().tmp(), options_.retry,
                         failed.get_token());
    for (size_t i = next_++; i < work_.size(); i = next_++) {
      if (failed.stop_requested()) throw Cancelled();
      const ShardPath& path = work_[i];
      if (server_gone_) {
        take(path, {{},
                    0,
                    0,
                    0,
                    {{Severity::kIncomplete, path.text(),
                      "was not fetched: the server no longer answers"}}});
        continue;
      }
      const auto before = parent_sizes_.find(path);
      const bool whole = take(
          path, fetcher.fetch(path, before == parent_sizes_.end() ? std::nullopt
                                                                  : std::optional(before->second)));
      if (whole) continue;
      try {
        client_.fetch_metastore();
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
  options_.on_shard({path, kept, shards_.size(), work_.size()});
  return !kept.incomplete();
}

// A shard that the server dropped (by retention, or DROP) while it was to be fetched is no loss.
// Only the metastore can tell: the lists are also without a shard that failed to open.
void Capture::drop_removed_shards(const Metastore& after) {
  MutexLock lock(mutex_);
  for (auto it = shards_.begin(); it != shards_.end();) {
    const auto& [path, shard] = *it;
    const auto place = after.find_shard(path.shard);
    const bool removed = shard.incomplete() && (!place || place->group->deleted);
    if (removed)
      problem(Severity::kWarning, path.text(), "was dropped by the server during the backup");
    it = removed ? shards_.erase(it) : std::next(it);
  }
}

std::optional<Capture::MetastoreState> Capture::fetch_metastore_again() {
  try {
    return fetch_metastore();
  } catch (const ProtocolError& error) {
    problem(Severity::kWarning, "",
            fmt::format("the metastore could not be compared after the shards: {}", error.what()));
    return std::nullopt;
  }
}

// The later metastore is kept, unless it has forgotten a shard that is here: a copied shard that
// its metastore does not know would be ignored, and reappear in a new shard of that number.
const Capture::MetastoreState& Capture::choose_metastore(
    const MetastoreState& before, const std::optional<MetastoreState>& after) {
  if (!after || after->answer.meta_db == before.answer.meta_db) return before;
  manifest_.metastore_changed = true;
  MutexLock lock(mutex_);
  const bool knows_all = std::all_of(shards_.begin(), shards_.end(), [&](const auto& entry) {
    return after->view.find_shard(entry.first.shard).has_value();
  });
  return knows_all ? *after : before;
}

StoredTree Capture::store_meta(const MetastoreAnswer& answer) {
  std::optional<Tree> parent_meta;
  try {
    if (parent_) parent_meta = read_tree(repository_.objects(), parent_->meta);
  } catch (const Error&) {
    // look_at_parent() has said that the parent cannot be read
  }
  const Tree* parent = parent_meta ? &*parent_meta : nullptr;
  return store_tree(writer_, {store_meta_file("meta.db", answer.meta_db, parent),
                              store_meta_file("node.json", answer.node_json, parent)});
}

// An unchanged file keeps the time that it had, so that an unchanged directory stays one node.
TreeEntry Capture::store_meta_file(std::string name, ByteView content, const Tree* parent_meta) {
  index::MemorySource source(content);
  const auto id = writer_.digest_key().digest<index::FileId>(content);
  const auto stored = writer_.put_file(source, id, index::FileKind::kOther, stop_);
  const TreeEntry* old = parent_meta ? parent_meta->find(name) : nullptr;
  const bool unchanged = old && old->kind == EntryKind::kFile && old->file() == id;
  return {std::move(name),
          EntryKind::kFile,
          kMetaFileMode,
          unchanged ? old->mtime : manifest_.time,
          stored.size,
          0,
          id};
}

void Capture::problem(Severity severity, std::string path, std::string what) {
  manifest_.problems.push_back({severity, std::move(path), std::move(what)});
}

}  // namespace

SnapshotPtr capture(InfluxdClient& client, index::Repository& repository,
                    index::RepositoryWriter& writer, Catalog& catalog,
                    const CaptureOptions& options, std::stop_token stop) {
  return Capture(client, repository, writer, catalog, options, std::move(stop)).run();
}

}  // namespace tsmfs::snapshot
