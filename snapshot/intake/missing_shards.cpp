#include "snapshot/intake/missing_shards.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "index/base/error.h"
#include "index/base/format_bytes.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

const MissingShard* find_missing(const Manifest& snapshot, const ShardPath& path) {
  if (!snapshot.extent) return nullptr;
  const std::vector<MissingShard>& list = snapshot.extent->missing;
  const auto found = std::ranges::lower_bound(list, path, {}, &MissingShard::path);
  return found != list.end() && found->path == path ? &*found : nullptr;
}

class Judgement {
 public:
  Judgement(Manifest& manifest, const ExtentQuestion& question, PastShards& past)
      : manifest_(manifest), question_(question), past_(past) {
    for (const Problem& problem : manifest.problems)
      if (problem.severity == Problem::Severity::kIncomplete)
        said_.emplace(problem.path, problem.what);
  }
  void policy(const MetaDatabase& database, const MetaPolicy& policy);
  void note_needless();

 private:
  void group(const MetaDatabase& database, const MetaPolicy& policy, const MetaShardGroup& group);
  void shard(const MetaShardGroup& group, const ShardPath& path);
  void absent(const MetaShardGroup& group, const ShardPath& path);
  void lost(const ShardPath& path, std::string why, const PastShard& before);

  Manifest& manifest_;
  const ExtentQuestion& question_;
  PastShards& past_;
  std::map<std::string, std::string> said_;  // why a shard is not whole, by its path
  std::set<uint64_t> settled_;               // of question_.accepted
  // Whether the last group of the policy is one that never held anything, and that is accepted:
  // those behind it were made ahead for a policy to which nobody writes.
  bool idle_ = false;
};

void Judgement::policy(const MetaDatabase& database, const MetaPolicy& policy) {
  idle_ = false;
  for (const MetaShardGroup& each : policy.groups)
    if (!each.deleted) group(database, policy, each);
}

void Judgement::group(const MetaDatabase& database, const MetaPolicy& policy,
                      const MetaShardGroup& group) {
  const Filter& filter = manifest_.filter;
  if (filter.range && (group.start > filter.range->end || group.end <= filter.range->start)) return;
  const auto database_name = Name::parse(database.name), policy_name = Name::parse(policy.name);
  for (const uint64_t id : group.shards) {
    if (!filter.takes(database.name, policy.name, id)) continue;
    // What has no name for a directory is a problem of its own.
    if (!database_name || !policy_name)
      ++manifest_.extent->named;
    else if (const ShardPath path{*database_name, *policy_name, id}; question_.asked(path))
      shard(group, path);
  }
}

void Judgement::shard(const MetaShardGroup& group, const ShardPath& path) {
  const auto here = question_.here.find(path);
  if (here == question_.here.end()) return absent(group, path);
  idle_ = false;
  ++manifest_.extent->named;
  if (!here->second.whole) {
    const auto why = said_.find(path.text());
    lost(path, why == said_.end() ? "did not come whole" : why->second, past_.last(path));
    return;
  }
  // What holds no point of a time range says nothing of the shard.
  const PastShard before =
      here->second.bytes == 0 && !manifest_.filter.range ? past_.last(path) : PastShard{};
  if (before.bytes > 0)
    lost(path,
         fmt::format("is empty, and had {} when a snapshot last held it",
                     format_bytes(before.bytes)),
         before);
  else
    ++manifest_.extent->came;
}

void Judgement::absent(const MetaShardGroup& group, const ShardPath& path) {
  const Timestamp now = manifest_.time;
  if (group.start > now) return;
  PastShard before = past_.last(path);
  const bool never_held = before.bytes == 0;
  const bool fresh = group.start.unix_ns > now.unix_ns - kGroupGraceNs;
  if (never_held && !before.missing && fresh) return;
  ++manifest_.extent->named;
  const bool made_ahead = never_held && idle_;
  before.accepted |= made_ahead;
  const std::string had = never_held ? ""
                                     : fmt::format(", and had {} when a snapshot last held it",
                                                   format_bytes(before.bytes));
  lost(path,
       question_.absent + had +
           (made_ahead ? "; the shard before it was accepted as missing, and never held anything"
                       : ""),
       before);
  idle_ = never_held && (before.accepted || question_.accepted.contains(path.shard));
}

void Judgement::lost(const ShardPath& path, std::string why, const PastShard& before) {
  const bool accepted_now = question_.accepted.contains(path.shard);
  if (accepted_now) settled_.insert(path.shard);
  add_missing(manifest_, {path, std::move(why), before.bytes, accepted_now || before.accepted});
}

void Judgement::note_needless() {
  for (const uint64_t shard : question_.accepted)
    if (!settled_.contains(shard))
      manifest_.problems.push_back(
          {Problem::Severity::kWarning, "",
           fmt::format("shard {} was to be accepted as missing, and is not missing", shard)});
}

}  // namespace

PastShards::PastShards(index::ObjectReader& objects, const CatalogState& state,
                       std::string_view server, Timestamp time)
    : objects_(objects) {
  for (auto it = state.snapshots.rbegin(); it != state.snapshots.rend(); ++it)
    if ((*it)->server == server && (*it)->time < time) snapshots_.push_back(*it);
}

PastShard PastShards::last(const ShardPath& path) {
  for (const SnapshotPtr& snapshot : snapshots_) {
    if (const MissingShard* missing = find_missing(*snapshot, path))
      return {missing->had_bytes, true, missing->accepted};
    const Filter& filter = snapshot->filter;
    if (filter.metastore_only || filter.range || !filter.takes(path)) continue;
    const auto& entries = entries_of(*snapshot);
    const auto held = entries.find(path);
    if (held != entries.end()) return {held->second.size, false, false};
    if (snapshot->extent) return {};
  }
  return {};
}

const std::map<ShardPath, TreeEntry>& PastShards::entries_of(const Manifest& snapshot) {
  const auto [found, is_new] = entries_.try_emplace(snapshot.id);
  if (is_new) try {
      found->second = shard_entries(objects_, snapshot.data);
    } catch (const CorruptError&) {
      // check and the backup itself say that it is damaged
    }
  return found->second;
}

void judge_extent(Manifest& manifest, const ExtentQuestion& question, PastShards& past) {
  if (!manifest.extent) manifest.extent.emplace();
  Judgement judgement(manifest, question, past);
  for (const MetaDatabase& database : question.metastore.databases())
    if (manifest.filter.takes_database(database.name))
      for (const MetaPolicy& policy : database.policies) judgement.policy(database, policy);
  judgement.note_needless();
}

}  // namespace tsmfs::snapshot
