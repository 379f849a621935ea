#include "snapshot/restore/restore_warnings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "index/base/directory.h"
#include "index/base/quote.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/restore/other_versions.h"
#include "snapshot/restore/shards_on_disk.h"

namespace tsmfs::snapshot {

namespace {

namespace stdfs = std::filesystem;

class Warner {
 public:
  Warner(index::ObjectReader& objects, const RestoreRequest& request, const ShardMoves& moves,
         RestorePlan& plan)
      : objects_(objects),
        request_(request),
        snapshot_(*request.snapshot),
        moves_(moves),
        plan_(plan) {}

  void warn_of_everything(const std::optional<Metastore>& metastore);

 private:
  void warn_of_enterprise();
  void warn_of_snapshot();
  void warn_of_missing_shards(const Metastore& metastore);
  void warn_of_other_versions();
  void warn_of_retention();
  void warn_of_wal();
  void warn(std::string what) { plan_.warnings.push_back(std::move(what)); }

  index::ObjectReader& objects_;
  const RestoreRequest& request_;
  const Manifest& snapshot_;
  const ShardMoves& moves_;
  RestorePlan& plan_;
};

void Warner::warn_of_everything(const std::optional<Metastore>& metastore) {
  warn_of_enterprise();
  warn_of_snapshot();
  if (!request_.datadir.empty()) {
    if (metastore) warn_of_missing_shards(*metastore);
    warn_of_other_versions();
    warn_of_wal();
  }
  warn_of_retention();
}

void Warner::warn_of_enterprise() {
  if (is_enterprise_node(request_.metadir, request_.datadir))
    warn(
        "these are the directories of a data node of InfluxDB Enterprise: its metastore is on "
        "other machines, and knows nothing of what is restored here");
}

void Warner::warn_of_snapshot() {
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
  if (!request_.waldir.empty() || request_.datadir.empty()) return;
  const std::string wal = describe_wal(objects_, snapshot_, request_.choice.filter);
  if (wal.empty()) return;
  plan_.lacks_wal = true;
  warn(wal + (request_.merge ? ", is not merged: restore it into empty directories with --waldir, "
                               "start influxd there, and merge a backup of that"
                             : ", is not restored: name --waldir; it is in /wal of the mount as "
                               "well"));
}

void Warner::warn_of_missing_shards(const Metastore& metastore) {
  const auto missing = std::ranges::count_if(moves_, [&](const auto& move) {
    const auto place = metastore.find_shard(move.first);
    return !snapshot_.filter.takes(place->database->name, place->policy->name, move.first);
  });
  if (missing > 0)
    warn(
        fmt::format("the snapshot was made of {}: {} shards that its metastore names are not in it",
                    snapshot_.filter.only_text(), missing));
}

void Warner::warn_of_other_versions() {
  VersionTraps traps =
      find_version_traps(objects_, plan_.shards, request_.datadir, snapshot_.dialect);
  for (std::string& warning : traps.warnings) warn(std::move(warning));
  plan_.notes = std::move(traps.notes);
}

// Old data under a policy of finite duration live until influxd looks at them.
void Warner::warn_of_retention() {
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
void Warner::warn_of_wal() {
  const stdfs::path wal =
      request_.waldir.empty() ? beside_data(request_.datadir, "wal") : request_.waldir;
  if (request_.merge && !directory_exists(wal))
    warn(fmt::format("there is no {}: points in a write-ahead log elsewhere are not looked at",
                     wal.string()));
  std::vector<ShardPath> targets;
  for (const RestoreShard& shard : plan_.shards) targets.push_back(shard.to);
  if (request_.merge) targets.insert(targets.end(), plan_.skipped.begin(), plan_.skipped.end());
  for (const ShardPath& target : targets) {
    const stdfs::path directory = shard_directory(wal, target);
    const bool restored = std::ranges::any_of(
        plan_.wal, [&](const RestoreShard& other) { return other.to == target; });
    if (restored || request_.merge == Prefer::kExisting || !directory_exists(directory) ||
        bytes_below(directory) == 0)
      continue;
    plan_.log_wins |= request_.merge.has_value();
    warn(fmt::format("{} holds a WAL, {}", directory.string(),
                     request_.merge
                         ? "whose points win over the snapshot's: start influxd and run tsmfs "
                           "backup, which has it written to the shard, when that is not wanted"
                         : "which influxd will play over the restored shard; remove it unless you "
                           "want that"));
  }
}

}  // namespace

void add_warnings(index::ObjectReader& objects, const RestoreRequest& request,
                  const std::optional<Metastore>& metastore, const ShardMoves& moves,
                  RestorePlan& plan) {
  Warner(objects, request, moves, plan).warn_of_everything(metastore);
}

}  // namespace tsmfs::snapshot
