#include "snapshot/backup/capture.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "index/base/error.h"
#include "snapshot/backup/late_points.h"
#include "snapshot/backup/shard_gatherer.h"
#include "snapshot/influxdb/data_name.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/server_settings.h"
#include "snapshot/intake/missing_shards.h"
#include "snapshot/intake/overlay.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/snapshots_of_server.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

constexpr size_t kDropLooks = 2;  // at the metastore, until a shard that is gone leaves it

Manifest begin_captured(const InfluxdClient& client, const CaptureOptions& options,
                        const SnapshotPtr& parent) {
  Manifest manifest = begin_manifest(
      {now(), options.server, options.address.empty() ? client.endpoint().text() : options.address,
       options.dialect},
      parent.get());
  manifest.filter = options.filter;
  manifest.tags = options.tags;
  manifest.partial = options.filter.range.has_value();
  return manifest;
}

class Capture {
 public:
  Capture(InfluxdClient& client, const ServerLook& look, index::Repository& repository,
          index::RepositoryWriter& writer, Catalog& catalog, const CaptureOptions& options,
          std::stop_token stop)
      : client_(client),
        look_(look),
        repository_(repository),
        writer_(writer),
        catalog_(catalog),
        options_(options),
        stop_(std::move(stop)),
        parent_(newest_with_filter(*catalog.refresh(), options.server, options.filter)),
        builder_(repository, writer, catalog, begin_captured(client, options, parent_)),
        gatherer_(client, repository, writer, options, stop_) {}
  Captured run();

 private:
  void look_at_parent();
  void set_since();
  void read_bases();
  std::vector<FetchRequest> requests();
  FetchRequest request_for(const ShardPath& path) const;
  void drop_removed_shards(const Metastore* after);
  std::optional<MetastoreState> fetch_metastore_after();
  bool may_be_dropping(const Metastore& metastore);
  std::optional<MetastoreState> fetch_metastore_again();
  const MetastoreState& choose_metastore(const MetastoreState& before,
                                         const std::optional<MetastoreState>& after);
  Overlay lay_over_parent(const ShardPath& path, const std::vector<TreeEntry>& received);
  void confirm_carried();
  void add_shards();
  std::vector<TreeEntry> laid_over(const ShardPath& path, FetchedShard& shard);
  void judge(const Metastore& before, const Metastore* after);

  InfluxdClient& client_;
  const ServerLook& look_;
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
  // What changes of a shard are asked for since, and laid over.
  struct Base {
    Timestamp since;
    std::vector<TreeEntry> files;  // the parent's
  };
  std::map<ShardPath, Base> bases_;
  // What came of a shard, over what the parent has of it; the server was asked whether that stands.
  struct Confirmed {
    std::vector<TreeEntry> received;
    Overlay overlay;
  };
  std::map<ShardPath, Confirmed> confirmed_;
  std::map<ShardPath, ShardHere> here_;
  ShardGatherer gatherer_;
  Captured result_;
  std::map<ShardPath, FetchedShard> shards_;
};

Captured Capture::run() {
  look_at_parent();
  set_since();
  const MetastoreState& before = look_.metastore;
  gatherer_.fetch(requests());
  confirm_carried();
  gatherer_.ask_again(look_.time);
  confirm_carried();  // of shards that brought more
  shards_ = gatherer_.release();
  result_.late_shards = gatherer_.late_shards();
  const auto after = fetch_metastore_after();
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
    parent_shards_ = shard_entries(repository_.objects(), parent_->data);
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

std::vector<FetchRequest> Capture::requests() {
  uint64_t expected = 0;
  for (const auto& [path, entry] : parent_shards_) expected += entry.size;
  if (options_.progress && !since_ && !options_.filter.range)
    options_.progress->expected_bytes = expected;
  for (const Problem& problem : look_.list.problems)
    builder_.problem(problem.severity, problem.path, problem.what);
  read_bases();
  std::vector<FetchRequest> requests;
  for (const ShardPath& path : look_.list.shards) requests.push_back(request_for(path));
  return requests;
}

// Of each shard that the parent has whole. Its files have the server's own times: nothing that is
// later than the newest may be passed over, whatever the parent's time is by another clock.
void Capture::read_bases() {
  if (!since_ || !parent_) return;
  for (const ShardPath& path : look_.list.shards) {
    const auto before = parent_shards_.find(path);
    if (before == parent_shards_.end() || parent_lacks_.contains(path.text())) continue;
    auto files = read_tree(repository_.objects(), before->second.directory()).entries();
    if (files.empty()) continue;
    const Timestamp behind = shifted(newest_time(files), kNanosecondsPerSecond);
    const bool gap = *since_ > parent_->time;  // that is asked for
    bases_.emplace(path, Base{gap ? *since_ : std::min(*since_, behind), std::move(files)});
  }
}

FetchRequest Capture::request_for(const ShardPath& path) const {
  FetchRequest request{path, {}, {}, options_.filter.range};
  const auto before = parent_shards_.find(path);
  if (since_ && !parent_) request.since = since_;
  if (const auto base = bases_.find(path); base != bases_.end()) request.since = base->second.since;
  if (!request.since && !request.range && before != parent_shards_.end())
    request.bytes_before = before->second.size;
  return request;
}

// A shard that the server dropped (by retention, or DROP) while it was to be fetched is no loss.
// Only the metastore can tell: the lists are also without a shard that failed to open.
void Capture::drop_removed_shards(const Metastore* after) {
  for (auto it = shards_.begin(); it != shards_.end();) {
    const auto& [path, shard] = *it;
    const bool removed = shard.dropped || (shard.incomplete() && after && !after->has_shard(path));
    if (removed)
      builder_.problem(Severity::kWarning, path.text(),
                       "was dropped by the server during the backup");
    it = removed ? shards_.erase(it) : std::next(it);
  }
}

// The server takes the data of a shard away before it takes the shard out of its metastore.
std::optional<MetastoreState> Capture::fetch_metastore_after() {
  auto after = fetch_metastore_again();
  const auto& pauses = options_.retry.pauses;
  for (size_t i = 0; i < std::min(pauses.size(), kDropLooks); ++i) {
    if (!after || !may_be_dropping(after->view)) break;
    pause(pauses[i], stop_);
    after = fetch_metastore_again();
  }
  return after;
}

// Whether a shard that the snapshot before has is in the metastore, and nowhere else.
bool Capture::may_be_dropping(const Metastore& metastore) {
  return std::ranges::any_of(parent_shards_, [&](const auto& entry) {
    return !shards_.contains(entry.first) && options_.filter.takes(entry.first) &&
           !parent_lacks_.contains(entry.first.text()) && metastore.has_shard(entry.first);
  });
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
  const bool forgets = std::ranges::any_of(shards_, [&](const auto& entry) {
    return before.view.has_shard(entry.first) && !after->view.has_shard(entry.first);
  });
  return forgets ? before : *after;
}

void Capture::add_shards() {
  if (since_) writer_.flush();  // lay_over() reads what has come
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
  manifest.extent->late = result_.late_shards;
  ExtentQuestion question{before, here_,
                          "is in the metastore, but the server does not offer it: see influxd's "
                          "log, the shard may have failed to open",
                          [&](const ShardPath& path) {
                            return here_.contains(path) || (!gatherer_.dropped().known(path) &&
                                                            (!after || after->has_shard(path)));
                          },
                          options_.accept_missing};
  PastShards past(repository_.objects(), *catalog_.state(), options_.server, manifest.time);
  judge_extent(manifest, question, past);
}

Overlay Capture::lay_over_parent(const ShardPath& path, const std::vector<TreeEntry>& received) {
  return lay_over(repository_.objects(), bases_.at(path).files, received);
}

// Nothing in an answer to --since tells which files have gone since.
void Capture::confirm_carried() {
  if (bases_.empty()) return;
  writer_.flush();  // lay_over() reads what has come
  std::vector<CarriedFiles> carried;
  for (const ShardPath& path : look_.list.shards) {
    const FetchedShard shard = gatherer_.fetched(path);
    if (!bases_.contains(path) || shard.dropped || shard.incomplete() || shard.all) continue;
    const auto before = confirmed_.find(path);
    if (before != confirmed_.end() && before->second.received == shard.files) continue;
    Overlay overlay = lay_over_parent(path, shard.files);
    carried.push_back(
        {path, {}, holds_tombstones(overlay.carried_over), parent_shards_.at(path).size});
    std::ranges::copy_if(overlay.carried_over, std::back_inserter(carried.back().files),
                         [](const TreeEntry& file) { return file.name.ends_with(kTsmEnding); });
    confirmed_.insert_or_assign(path, Confirmed{shard.files, std::move(overlay)});
  }
  gatherer_.confirm(std::move(carried));
}

// What came of a shard, over what the parent had of it when only changes were asked for.
std::vector<TreeEntry> Capture::laid_over(const ShardPath& path, FetchedShard& shard) {
  if (!since_) return std::move(shard.files);
  result_.received_files += shard.files.size();
  if (shard.all || !bases_.contains(path)) return std::move(shard.files);
  const auto confirmed = confirmed_.find(path);
  const bool stands = confirmed != confirmed_.end() && confirmed->second.received == shard.files;
  Overlay overlay =
      stands ? std::move(confirmed->second.overlay) : lay_over_parent(path, shard.files);
  result_.carried_files += overlay.carried_over.size();
  result_.superseded_files += overlay.superseded.size();
  if (stands) return std::move(overlay.files);
  for (const std::string& file : overlay.unexplained)
    shard.problems.push_back(
        {Severity::kIncomplete, path.text() + "/" + file,
         "is kept from the snapshot before, though a compaction may have replaced it: points of it "
         "are missing in the newer file, may have been deleted, and would come back; a backup "
         "without --since tells"});
  return std::move(overlay.files);
}

}  // namespace

Captured capture(InfluxdClient& client, const ServerLook& look, index::Repository& repository,
                 index::RepositoryWriter& writer, Catalog& catalog, const CaptureOptions& options,
                 std::stop_token stop) {
  return Capture(client, look, repository, writer, catalog, options, std::move(stop)).run();
}

}  // namespace tsmfs::snapshot
