#include "snapshot/restore_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "snapshot/quote.h"
#include "snapshot/stored_shards.h"
#include "snapshot/unopenable.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

constexpr const char* kMetaDb = "meta.db";
// How influxd 1.5 and later begins a tombstone file; older ones cannot read it.
constexpr uint32_t kTombstoneV4 = 0x1504;

std::optional<std::string> read_if_exists(const stdfs::path& path) {
  if (path.empty() || !path_exists(path)) return std::nullopt;
  return read_whole_file(path, kMetastoreBytesMax);
}

// The directories that `visit` wants: (name, path), none when `path` is no directory.
template <typename Visit>
void for_each_directory(const stdfs::path& path, Visit visit) {
  if (!directory_exists(path)) return;
  for (const std::string& name : list_directory(path))
    if (directory_exists(path / name)) visit(name, path / name);
}

ShardsOnDisk list_shards_on_disk(const stdfs::path& datadir) {
  ShardsOnDisk shards;
  if (datadir.empty()) return shards;
  for_each_directory(datadir, [&](const std::string& database, const stdfs::path& policies) {
    for_each_directory(policies, [&](const std::string& policy, const stdfs::path& ids) {
      for_each_directory(ids, [&](const std::string& id, const stdfs::path&) {
        const auto path = parse_shard_path(database + "/" + policy + "/" + id);
        if (path) shards.emplace(path->shard, *path);
      });
    });
  });
  return shards;
}

// The first bytes of a stored file, at most `length` of them.
std::string read_head(index::ObjectReader& objects, const TreeEntry& file, size_t length) {
  std::vector<index::Slice> slices;
  objects.open_file(file.file()).read(0, length, slices);
  std::string content;
  for (const index::Slice& slice : slices) content += as_text(slice.bytes);
  return content;
}

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
  void require_place(const RestoreShard& shard) const;
  void look_at_servers_metastore();
  void require_some_data() const;
  void warn_of_snapshot();
  void warn_of_missing_shards();
  void warn_of_old_tombstones();
  void warn_of_retention();
  void warn_of_wal();
  // A directory of the server that mostly lies beside its data.
  stdfs::path beside_data(const char* name) const;
  void warn(std::string what) { plan_.warnings.push_back(std::move(what)); }

  index::Repository& repository_;
  index::ObjectReader& objects_;
  const RestoreRequest& request_;
  const Manifest& snapshot_;
  const ShardsOnDisk on_disk_;
  std::string stored_;                  // the snapshot's meta.db
  std::optional<Metastore> metastore_;  // of the snapshot; empty when it has none
  ShardMoves moves_;
  RestorePlan plan_;
};

RestorePlan Planner::plan() {
  read_metastore();
  plan_metastore();
  if (!request_.datadir.empty()) plan_data();
  warn_of_snapshot();
  if (!request_.datadir.empty()) {
    warn_of_missing_shards();
    warn_of_old_tombstones();
    warn_of_wal();
    if (request_.metadir.empty()) look_at_servers_metastore();
  }
  warn_of_retention();
  return std::move(plan_);
}

void Planner::read_metastore() {
  const auto content = stored_meta_file(repository_, snapshot_, kMetaDb);
  if (!content) return;
  stored_ = as_text(*content);
  metastore_ = Metastore::parse(*content, "the snapshot's metastore");
}

void Planner::plan_metastore() {
  if (!metastore_) {
    if (!request_.metadir.empty())
      throw UsageError("the snapshot has no metastore", "restore its data alone, with --datadir");
    return;
  }
  if (request_.metadir.empty()) {
    moves_ = choose_shards(*metastore_, request_.choice);
    return;
  }
  const stdfs::path path = meta_db_path(request_.metadir);
  auto there = read_if_exists(path);
  MetaEdit edit = there ? merge_metastore(as_bytes(*there), path.string(), as_bytes(stored_),
                                          request_.choice, on_disk_)
                        : filter_metastore(as_bytes(stored_), request_.choice, on_disk_);
  plan_.meta_db = std::move(edit.protobuf);
  plan_.meta_db_before = std::move(there);
  moves_ = std::move(edit.moves);
  for (std::string& note : edit.notes) warn(std::move(note));
}

void Planner::plan_data() {
  for (StoredShard& stored : stored_shards(objects_, snapshot_, request_.choice.filter))
    plan_shard(std::move(stored));
  require_some_data();
}

void Planner::plan_shard(StoredShard stored) {
  RestoreShard shard{stored.path, stored.path, std::move(stored.files), stored.bytes, false};
  if (metastore_) {
    const ShardPath& from = shard.from;
    const auto move = moves_.find(from.shard);
    if (!metastore_->has_shard(from) || move == moves_.end()) {
      const auto place = metastore_->find_shard(from.shard);
      const bool deleted = place && place->group->deleted;
      return warn(fmt::format("{} is left out: the snapshot's metastore {}", from.text(),
                              deleted ? "says that it was deleted" : "does not know it"));
    }
    shard.to = move->second;
  } else {
    if (request_.choice.new_database) shard.to.database = *request_.choice.new_database;
    if (request_.choice.new_policy) shard.to.policy = *request_.choice.new_policy;
  }
  const stdfs::path target = shard_directory(request_.datadir, shard.to);
  shard.replaces = holds_something(target);
  require_place(shard);
  plan_.files += shard.files.size();
  plan_.bytes += shard.bytes;
  plan_.shards.push_back(std::move(shard));
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
  if (!plan_.shards.empty() || filter.is_everything()) return;
  const bool wanted = !moves_.empty() || !metastore_;
  if (!wanted) return;  // an empty database, which is whole
  throw UsageError(
      fmt::format("snapshot {} holds no data of {}", snapshot_.short_id(), filter.text()),
      snapshot_.filter.is_everything() ? "tsmfs snapshots says what was incomplete"
                                       : "it was made of " + snapshot_.filter.text() + " only");
}

stdfs::path Planner::beside_data(const char* name) const {
  // With a slash at its end the last name is the directory's own, however that is written.
  const auto data = absolute_path(request_.datadir / "").lexically_normal().parent_path();
  return data.parent_path() / name;
}

// Without --metadir the data go under the numbers of the snapshot, which the server's own metastore
// has to agree with.
void Planner::look_at_servers_metastore() {
  const stdfs::path path = meta_db_path(beside_data("meta"));
  const auto there = read_if_exists(path);
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

void Planner::warn_of_snapshot() {
  if (snapshot_.partial)
    warn(fmt::format("snapshot {} is partial: it does not hold all that the server had",
                     snapshot_.short_id()));
  for (const Problem& problem : snapshot_.problems) {
    if (problem.severity != Problem::Severity::kIncomplete) continue;
    // "db/rp/shard/file" is of the shard; what names no shard may concern any.
    auto path = parse_shard_path(problem.path);
    if (!path)
      path = parse_shard_path(
          problem.path.substr(0, std::min(problem.path.rfind('/'), problem.path.size())));
    if (path && !request_.choice.filter.takes(*path)) continue;
    warn(fmt::format("the snapshot is incomplete: {}{}{}", problem.path,
                     problem.path.empty() ? "" : " ", problem.what));
  }
  if (snapshot_.wal)
    warn("the snapshot has a WAL too, which is not restored: it is in /wal of the mount");
}

void Planner::warn_of_missing_shards() {
  const auto missing = std::ranges::count_if(moves_, [&](const auto& move) {
    const auto place = metastore_->find_shard(move.first);
    return !snapshot_.filter.takes(place->database->name, place->policy->name, move.first);
  });
  if (missing > 0)
    warn(
        fmt::format("the snapshot was made of {} only: {} shards that its metastore names are not "
                    "in it",
                    snapshot_.filter.text(), missing));
}

void Planner::warn_of_old_tombstones() {
  if (snapshot_.dialect.find("1.2-1.4") == std::string::npos) return;
  for (const RestoreShard& shard : plan_.shards)
    for (const TreeEntry& file : shard.files) {
      if (!file.name.ends_with(".tombstone")) continue;
      const std::string head = read_head(objects_, file, sizeof kTombstoneV4);
      if (head.size() == sizeof kTombstoneV4 &&
          load_be<uint32_t>(as_bytes(head).data()) == kTombstoneV4)
        warn(
            fmt::format("{}/{} was written by influxd 1.5 or later: an older one cannot read it, "
                        "and deleted points come back there",
                        shard.to.text(), file.name));
    }
}

// Old data under a policy of finite duration live until influxd looks at them.
void Planner::warn_of_retention() {
  if (!plan_.meta_db) return;
  const Metastore result = Metastore::parse(as_bytes(*plan_.meta_db), "the new metastore");
  std::map<std::string, std::pair<size_t, int64_t>> expired;  // shards and duration of a policy
  for (const auto& [id, to] : moves_) {
    const auto place = result.find_shard(to.shard);
    if (!place || place->policy->duration_ns <= 0) continue;
    const int64_t oldest = now().unix_ns - place->policy->duration_ns;
    if (place->group->end.unix_ns >= oldest) continue;
    auto& entry = expired[fmt::format("{}.{}", to.database, to.policy)];
    ++entry.first;
    entry.second = place->policy->duration_ns;
  }
  for (const auto& [policy, entry] : expired)
    warn(
        fmt::format("{} shards of {} are older than the {} hours that it keeps: influxd will "
                    "delete them soon after its start",
                    entry.first, quote(policy), entry.second / 3'600'000'000'000));
}

// What a WAL of the shard's earlier life holds would be played over what is restored.
void Planner::warn_of_wal() {
  const stdfs::path wal = beside_data("wal");
  for (const RestoreShard& shard : plan_.shards) {
    const stdfs::path directory = shard_directory(wal, shard.to);
    if (directory_exists(directory) && bytes_below(directory) > 0)
      warn(
          fmt::format("{} holds a WAL, which influxd will play over the restored shard; remove it "
                      "unless you want that",
                      directory.string()));
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
