#include "snapshot/import_base.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
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

// The shards of a database that a server had at a time; a group made ahead of its time has none on
// disk.
std::vector<ShardPath> shards_of(const MetaDatabase& database, Timestamp time) {
  std::vector<ShardPath> paths;
  for (const MetaPolicy& policy : database.policies)
    for (const MetaShardGroup& group : policy.groups)
      for (const uint64_t shard : group.shards)
        if (!group.deleted && group.start <= time)
          paths.push_back({database.name, policy.name, shard});
  return paths;
}

}  // namespace

SnapshotPtr find_imported(const CatalogState& state, const Manifest& wanted) {
  SnapshotPtr found;
  for (const SnapshotPtr& snapshot : state.snapshots)
    if (snapshot->server == wanted.server && snapshot->time == wanted.time &&
        snapshot->dialect == wanted.dialect && (!found || found->incomplete()))
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
    const auto expected = shards_of(database, builder.manifest().time);
    std::vector<uint64_t> missing;
    for (const ShardPath& path : expected)
      if (!shards.contains(path)) missing.push_back(path.shard);
    if (expected.empty() || missing.size() < expected.size()) here.push_back(database.name);
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
