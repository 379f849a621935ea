#include "snapshot/import_base.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/name_problems.h"
#include "snapshot/past_snapshot.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

constexpr size_t kShardsShown = 8;
constexpr uint64_t kShrinkBytesMin = uint64_t{1} << 20;  // deletes can empty what is smaller

bool shrank(uint64_t before, uint64_t after) {
  return before > 0 && (after == 0 || (before >= kShrinkBytesMin && after < before / 2));
}

std::string list_of(const std::vector<uint64_t>& ids) {
  const auto shown = static_cast<ptrdiff_t>(std::min(ids.size(), kShardsShown));
  return fmt::format("{}{}", fmt::join(ids.begin(), ids.begin() + shown, ", "),
                     ids.size() > kShardsShown ? ", ..." : "");
}

// The shards of a policy that a server had at a time; a group made ahead of its time has none on
// disk.
std::vector<uint64_t> shards_of(const MetaPolicy& policy, Timestamp time) {
  std::vector<uint64_t> shards;
  for (const MetaShardGroup& group : policy.groups)
    if (!group.deleted && group.start <= time)
      shards.insert(shards.end(), group.shards.begin(), group.shards.end());
  return shards;
}

// Whether a shard is among those that are here. What has no name for a directory is not.
bool is_here(const MetaDatabase& database, const MetaPolicy& policy, uint64_t shard,
             const std::set<ShardPath>& shards) {
  const auto database_name = Name::parse(database.name), policy_name = Name::parse(policy.name);
  return database_name && policy_name && shards.contains({*database_name, *policy_name, shard});
}

}  // namespace

SnapshotPtr find_imported(const CatalogState& state, const Manifest& wanted) {
  const auto rank = [&](const Manifest& snapshot) {
    return (snapshot.address == wanted.address ? 2 : 0) + (snapshot.incomplete() ? 0 : 1);
  };
  SnapshotPtr found;
  for (const SnapshotPtr& snapshot : state.snapshots)
    if (snapshot->server == wanted.server && snapshot->time == wanted.time &&
        snapshot->dialect == wanted.dialect &&
        (!found || rank(*snapshot) > rank(*found) ||
         (rank(*snapshot) == rank(*found) && found->incomplete())))
      found = snapshot;
  return found;
}

SnapshotPtr last_before(const CatalogState& state, std::string_view server, Timestamp time) {
  SnapshotPtr last;
  for (const SnapshotPtr& snapshot : state.snapshots)
    if (snapshot->server == server && snapshot->time < time) last = snapshot;
  return last;
}

Manifest begin_manifest(const CatalogState& state, const std::string& server, Timestamp time,
                        const std::string& address, std::string_view kind) {
  Manifest manifest;
  manifest.time = time;
  manifest.server = server;
  manifest.address = address;
  manifest.dialect = kind;
  if (const SnapshotPtr parent = last_before(state, server, time)) manifest.parent = parent->id;
  return manifest;
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
                  const std::set<ShardPath>& shards, const std::set<std::string>* asked) {
  std::vector<std::string> here;
  for (const MetaDatabase& database : metastore.databases()) {
    size_t expected = 0;
    std::vector<uint64_t> missing;
    for (const MetaPolicy& policy : database.policies)
      for (const uint64_t shard : shards_of(policy, builder.manifest().time)) {
        ++expected;
        if (!is_here(database, policy, shard, shards)) missing.push_back(shard);
      }
    if (expected == 0 || missing.size() < expected) here.push_back(database.name);
    if (!missing.empty() && (asked == nullptr || asked->contains(database.name)))
      builder.problem(Severity::kWarning, database.name,
                      fmt::format("lacks {} of the shards that the metastore names: {}",
                                  missing.size(), list_of(missing)));
  }
  if (asked == nullptr || here.size() == metastore.databases().size()) return;
  if (shards.empty())
    builder.manifest().filter.metastore_only = true;
  else
    builder.manifest().filter.databases = here;
}

void note_shrunk(SnapshotBuilder& builder, index::ObjectReader& objects, const CatalogState& state,
                 const std::map<ShardPath, uint64_t>& bytes) {
  const Manifest& manifest = builder.manifest();
  const auto parent =
      std::find_if(state.snapshots.begin(), state.snapshots.end(),
                   [&](const SnapshotPtr& snapshot) { return snapshot->id == manifest.parent; });
  if (parent == state.snapshots.end()) return;
  for (const auto& [path, entry] : shard_entries(objects, **parent)) {
    const auto now = bytes.find(path);
    if (now == bytes.end() || !shrank(entry.size, now->second)) continue;
    builder.problem(
        Severity::kWarning, path.text(),
        fmt::format("has {} bytes, and had {} in snapshot {}, the one before: backups made with "
                    "-since, -start or -end do not say what they leave out",
                    now->second, entry.size, (*parent)->short_id()));
  }
}

}  // namespace tsmfs::snapshot
