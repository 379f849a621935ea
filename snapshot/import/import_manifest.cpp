#include "snapshot/import/import_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "index/base/format_bytes.h"
#include "snapshot/influxdb/name_problems.h"
#include "snapshot/intake/shrinkage.h"
#include "snapshot/model/snapshots_of_server.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

// What of a database a server had, and how much of that is here.
struct Share {
  std::map<std::string, size_t> named, here;  // shards by policy
  bool is_here() const { return named.empty() || !here.empty(); }
  bool is_whole() const { return named == here; }
};

// A group made ahead of its time has no shards on disk.
Share share_of(const MetaDatabase& database, Timestamp time,
               const std::map<ShardPath, ShardHere>& here) {
  Share share;
  const auto database_name = Name::parse(database.name);
  for (const MetaPolicy& policy : database.policies) {
    const auto policy_name = Name::parse(policy.name);
    for (const MetaShardGroup& group : policy.groups) {
      if (group.deleted || group.start > time) continue;
      for (const uint64_t shard : group.shards) {
        ++share.named[policy.name];
        if (database_name && policy_name && here.contains({*database_name, *policy_name, shard}))
          ++share.here[policy.name];
      }
    }
  }
  return share;
}

}  // namespace

Manifest begin_imported(const CatalogState& state, SnapshotOrigin origin) {
  const SnapshotPtr parent = newest_before(state, origin.server, origin.time);
  return begin_manifest(std::move(origin), parent.get());
}

std::optional<Metastore> add_metastore(SnapshotBuilder& builder, const MetastoreAnswer& answer,
                                       const std::string& label) {
  builder.add_meta_file("meta.db", answer.meta_db);
  if (!answer.node_json.empty()) builder.add_meta_file("node.json", answer.node_json);
  try {
    Metastore metastore = Metastore::parse(answer.meta_db, label);
    for (const MetaDatabase& database : metastore.databases())
      builder.manifest().databases.push_back(database.name);
    for (Problem& problem : name_problems(metastore, {}))
      builder.problem(problem.severity, std::move(problem.path), std::move(problem.what));
    return metastore;
  } catch (const CorruptError& error) {
    builder.problem(Severity::kIncomplete, "", std::string(error.what()) + "; stored as it is");
    return std::nullopt;
  }
}

void note_missing(SnapshotBuilder& builder, const Metastore& metastore,
                  const std::map<ShardPath, ShardHere>& here, const std::set<std::string>* asked,
                  PastShards& past) {
  Manifest& manifest = builder.manifest();
  std::vector<std::string> databases;
  std::set<std::pair<std::string, std::string>> not_asked;  // policies
  for (const MetaDatabase& database : metastore.databases()) {
    const Share share = share_of(database, manifest.time, here);
    if (share.is_here()) databases.push_back(database.name);
    for (const auto& [policy, count] : share.named)
      if (asked && !share.here.empty() && !share.here.contains(policy))
        not_asked.emplace(database.name, policy);
    // Laid over from an earlier run, and not asked for in this one.
    manifest.partial |=
        asked && !asked->contains(database.name) && share.is_here() && !share.is_whole();
  }
  if (asked != nullptr) {
    if (here.empty() && databases.size() < metastore.databases().size())
      manifest.filter.metastore_only = true;
    else if (databases.size() < metastore.databases().size())
      manifest.filter.databases = databases;
    manifest.partial |= !not_asked.empty();
  }
  ExtentQuestion question{metastore, here, "is in the metastore, but not here", {}, {}};
  question.asked = [&](const ShardPath& path) {
    if (!manifest.filter.takes(path)) return false;
    return !asked ||
           (asked->contains(path.database) && !not_asked.contains({path.database, path.policy}));
  };
  judge_extent(manifest, question, past);
}

void note_shrunk(SnapshotBuilder& builder, index::ObjectReader& objects, const CatalogState& state,
                 const std::map<ShardPath, uint64_t>& bytes) {
  const Manifest& manifest = builder.manifest();
  const auto parent =
      std::find_if(state.snapshots.begin(), state.snapshots.end(),
                   [&](const SnapshotPtr& snapshot) { return snapshot->id == manifest.parent; });
  if (parent == state.snapshots.end()) return;
  for (const auto& [path, entry] : shard_entries(objects, (*parent)->data)) {
    const auto now = bytes.find(path);
    // What is empty now is missing_shards.h's to judge.
    if (now == bytes.end() || now->second == 0 ||
        !shrank(entry.size, now->second, kImportedShrink))
      continue;
    builder.problem(
        Severity::kWarning, path.text(),
        fmt::format("has {}, and had {} in snapshot {}, the one before: backups made with "
                    "-since, -start or -end do not say what they leave out",
                    format_bytes(now->second), format_bytes(entry.size), (*parent)->short_id()));
  }
}

}  // namespace tsmfs::snapshot
