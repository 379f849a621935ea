#include "snapshot/restore/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/quote.h"
#include "snapshot/influxdb/server_settings.h"
#include "snapshot/influxdb/unopenable.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/restore/restore_metastore.h"
#include "snapshot/restore/restore_tree.h"
#include "snapshot/restore/restore_warnings.h"
#include "snapshot/restore/shards_on_disk.h"
#include "snapshot/restore/target_meta_db.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

class Planner {
 public:
  Planner(index::Repository& repository, const RestoreRequest& request)
      : repository_(repository),
        objects_(repository.objects()),
        request_(request),
        snapshot_(*request.snapshot),
        on_disk_(list_shards_on_disk(request.datadir)) {}

  RestorePlan plan();

 private:
  void read_metastore();
  void plan_metastore();
  void plan_data();
  void plan_shard(StoredShard stored);
  void plan_wal();
  void plan_directory_for_log(const ShardPath& from, const ShardPath& to);
  // Adds to what is there; false when that has all of it.
  bool merge_into(RestoreShard& shard);
  std::optional<Directory> find_directory_there(const stdfs::path& root,
                                                const ShardPath& shard) const;
  // Where a shard goes; nothing, with a warning, when the metastore does not let it.
  std::optional<ShardPath> target_of(const ShardPath& from);
  void require_place(const RestoreShard& shard) const;
  void look_at_servers_metastore();
  void require_some_data() const;
  void warn_of_missing_settings();
  void warn(std::string what) { plan_.warnings.push_back(std::move(what)); }

  index::Repository& repository_;
  index::ObjectReader& objects_;
  const RestoreRequest& request_;
  const Manifest& snapshot_;
  const ShardsOnDisk on_disk_;
  std::string stored_;                  // the snapshot's meta.db, or one made of its shards
  std::optional<Metastore> metastore_;  // of the snapshot; empty when it has none
  ShardMoves moves_;
  RestorePlan plan_;
};

RestorePlan Planner::plan() {
  read_metastore();
  plan_metastore();
  if (!request_.datadir.empty()) plan_data();
  if (!request_.datadir.empty() && request_.metadir.empty()) look_at_servers_metastore();
  add_warnings(objects_, request_, metastore_, moves_, plan_);
  return std::move(plan_);
}

void Planner::read_metastore() {
  auto content = metastore_to_restore(repository_, request_, plan_.warnings);
  if (!content) return;
  stored_ = std::move(*content);
  metastore_ = Metastore::parse(as_bytes(stored_), "the snapshot's metastore");
}

void Planner::plan_metastore() {
  if (!metastore_) return;
  if (request_.metadir.empty()) {
    moves_ = choose_shards(*metastore_, request_.choice);
    return;
  }
  const stdfs::path path = meta_db_path(request_.metadir);
  auto there = read_target_meta_db(request_.metadir, request_.owner);
  MetaEdit edit = there ? merge_metastore(as_bytes(*there), path.string(), as_bytes(stored_),
                                          request_.choice, on_disk_)
                        : filter_metastore(as_bytes(stored_), request_.choice, on_disk_);
  plan_.meta_db = std::move(edit.protobuf);
  plan_.meta_db_before = std::move(there);
  moves_ = std::move(edit.moves);
  for (std::string& note : edit.notes) warn(std::move(note));
  warn_of_missing_settings();
}

void Planner::warn_of_missing_settings() {
  const MetaChoice& choice = request_.choice;
  const MissingSettings missing =
      find_missing(read_settings(as_bytes(stored_), "the snapshot's metastore"), choice,
                   read_settings(as_bytes(*plan_.meta_db), "the new metastore"));
  const bool copy = choice.new_database || choice.new_policy;
  const char* stays = "what the server has of the database stays as it is";
  MissingReasons reasons{stays, "the server keeps its own; --with-users adds them", stays};
  if (copy) {
    reasons.queries = "they name the original, and would write to it";
    reasons.subscriptions = "they would send the copy's points too; --with-subscriptions";
  }
  for (std::string& line : describe(missing, reasons)) warn(std::move(line));
  plan_.lacks_settings = !missing.empty() && asks_for_settings(choice);
}

void Planner::plan_data() {
  for (StoredShard& stored : stored_shards(objects_, snapshot_, request_.choice.filter))
    plan_shard(std::move(stored));
  if (!request_.waldir.empty()) plan_wal();
  require_some_data();
}

std::optional<ShardPath> Planner::target_of(const ShardPath& from) {
  if (metastore_) {
    const auto move = moves_.find(from.shard);
    if (!metastore_->has_shard(from) || move == moves_.end()) {
      const auto place = metastore_->find_shard(from.shard);
      const bool deleted = place && place->group->deleted;
      warn(fmt::format("{} is left out: the snapshot's metastore {}", from.text(),
                       deleted ? "says that it was deleted" : "does not know it"));
      return std::nullopt;
    }
    return move->second;
  }
  return ShardPath{request_.choice.new_database.value_or(from.database),
                   request_.choice.new_policy.value_or(from.policy), from.shard};
}

void Planner::plan_shard(StoredShard stored) {
  const auto to = target_of(stored.path);
  if (!to) return;
  RestoreShard shard{stored.path, *to, std::move(stored.files), stored.bytes, false};
  shard.replaces = holds_something(shard_directory(request_.datadir, shard.to));
  require_place(shard);
  // One whose points are still in its log has an empty directory.
  const bool has_log =
      !request_.waldir.empty() && holds_something(shard_directory(request_.waldir, shard.to));
  if (request_.skip_existing && (shard.replaces || has_log)) {
    plan_.skipped.push_back(shard.to);
    return;
  }
  if (request_.merge && !merge_into(shard)) {
    plan_.skipped.push_back(shard.to);
    return;
  }
  plan_.files += shard.files.size();
  plan_.bytes += shard.bytes;
  plan_.shards.push_back(std::move(shard));
}

bool Planner::merge_into(RestoreShard& shard) {
  if (!plan_.meta_db)
    throw UsageError(
        "--merge needs the metastores of both sides, which say what times a shard is of",
        metastore_ ? "name --metadir too"
                   : "the snapshot has none: --make-metastore derives one from the points");
  const auto data = find_directory_there(request_.datadir, shard.to);
  const auto wal = find_directory_there(beside_data(request_.datadir, "wal"), shard.to);
  if (shard.replaces && !data)
    throw UsageError(shard_directory(request_.datadir, shard.to).string() + " is no directory",
                     "look at it; a link is not merged with");
  const ShardThere there{shard.replaces ? &*data : nullptr, wal ? &*wal : nullptr};
  if (!there.data && !there.wal) return true;
  ShardMerge merge =
      merge_shard(repository_, shard.from, shard.files, there, *request_.merge, request_.stop);
  for (const std::string& file : merge.left_out)
    warn(quote(file) + " holds no points, and is not merged");
  if (!there.data) return true;
  shard.files = std::move(merge.added);
  shard.kept = std::move(merge.kept);
  shard.bytes = 0;
  for (const TreeEntry& file : shard.files) shard.bytes += file.size;
  return merge.needed;
}

std::optional<Directory> Planner::find_directory_there(const stdfs::path& root,
                                                       const ShardPath& shard) const {
  const auto [directory, missing] = reach_target(root, request_.owner);
  return missing.empty() ? find_shard_directory(directory, shard) : std::nullopt;
}

// Of a shard whose data are left as they are, the log is too.
void Planner::plan_wal() {
  plan_.lacks_wal = !snapshot_.wal;
  auto logs = stored_wal(objects_, snapshot_, request_.choice.filter);
  if (logs.empty())
    warn(fmt::format("the snapshot has no write-ahead log{}: nothing is written to {}",
                     snapshot_.wal ? " of what was chosen" : "", request_.waldir.string()));
  for (StoredShard& stored : logs) {
    const auto to = target_of(stored.path);
    if (!to || std::ranges::find(plan_.skipped, *to) != plan_.skipped.end()) continue;
    RestoreShard shard{stored.path, *to, std::move(stored.files), stored.bytes, false};
    shard.replaces = holds_something(shard_directory(request_.waldir, shard.to));
    plan_.files += shard.files.size();
    plan_.bytes += shard.bytes;
    plan_.wal.push_back(std::move(shard));
    plan_directory_for_log(stored.path, *to);
  }
}

// influxd reads the log of a shard only if that has a directory among the data.
void Planner::plan_directory_for_log(const ShardPath& from, const ShardPath& to) {
  const bool planned = std::ranges::find(plan_.shards, to, &RestoreShard::to) != plan_.shards.end();
  if (planned || path_exists(shard_directory(request_.datadir, to))) return;
  RestoreShard empty{from, to, {}, 0, false};
  require_place(empty);
  plan_.shards.push_back(std::move(empty));
}

// influxd knows its shards by number alone: one that is there twice hides the other.
void Planner::require_place(const RestoreShard& shard) const {
  const auto there = on_disk_.find(shard.to.shard);
  if (there != on_disk_.end() && there->second != shard.to)
    throw UsageError(fmt::format("number {} is taken in {}: it is the shard {}", shard.to.shard,
                                 request_.datadir.string(), quote(there->second.text())),
                     request_.metadir.empty()
                         ? "name --metadir too: the shard then gets a new number"
                         : "meta.db says otherwise: move that directory away");
}

void Planner::require_some_data() const {
  const Filter& filter = request_.choice.filter;
  if (!plan_.shards.empty() || !plan_.wal.empty() || !plan_.skipped.empty() ||
      filter.is_everything())
    return;
  const bool wanted = !moves_.empty() || !metastore_;
  if (!wanted) return;  // an empty database, which is whole
  throw UsageError(
      fmt::format("snapshot {} holds no data of {}", snapshot_.short_id(), filter.text()),
      snapshot_.filter.is_everything() ? "tsmfs snapshots says what was incomplete"
                                       : "it was made of " + snapshot_.filter.only_text());
}

// Without --metadir the data go under the numbers of the snapshot, which the server's own metastore
// has to agree with.
void Planner::look_at_servers_metastore() {
  const stdfs::path metadir = beside_data(request_.datadir, "meta");
  const stdfs::path path = meta_db_path(metadir);
  const auto there = read_target_meta_db(metadir, request_.owner);
  if (!there) return;
  const Metastore server = Metastore::parse(as_bytes(*there), path.string());
  for (const RestoreShard& shard : plan_.shards) {
    const auto place = server.find_shard(shard.to.shard);
    if (!place) {
      warn(fmt::format("{} is not in {}: influxd will ignore it; name --metadir too",
                       shard.to.text(), path.string()));
    } else if (place->database->name != shard.to.database ||
               place->policy->name != shard.to.policy) {
      throw UsageError(
          fmt::format("number {} belongs to {}.{} in {}", shard.to.shard,
                      quote(place->database->name), quote(place->policy->name), path.string()),
          "name --metadir too: the shard then gets a new number");
    } else if (place->group->deleted) {
      warn(
          fmt::format("{} was deleted on the server, says {}: influxd will take it away again; "
                      "name --metadir too",
                      shard.to.text(), path.string()));
    }
  }
}

}  // namespace

stdfs::path meta_db_path(const stdfs::path& metadir) {
  return metadir / kMetaDb;
}

stdfs::path shard_directory(const stdfs::path& datadir, const ShardPath& shard) {
  return datadir / shard.database / shard.policy / shard.directory();
}

RestorePlan plan_restore(index::Repository& repository, const RestoreRequest& request) {
  RestorePlan plan = Planner(repository, request).plan();
  for (const RestoreShard& shard : plan.shards)
    for (std::string& refused : refused_files(repository.objects(), shard.from, shard.files))
      plan.warnings.push_back(std::move(refused));
  return plan;
}

}  // namespace tsmfs::snapshot
