#include "snapshot/influxdb/export_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/shard_choice.h"

namespace tsmfs::snapshot {

namespace {

bool has_live_shards(const MetaDatabase& database, const Filter& filter) {
  return std::ranges::any_of(database.policies, [&](const MetaPolicy& policy) {
    return (filter.policy.empty() || filter.policy == policy.name) &&
           std::ranges::any_of(policy.groups, [](const MetaShardGroup& group) {
             return !group.deleted && !group.shards.empty();
           });
  });
}

// Those that are named and have no shard in the snapshot.
std::vector<std::string> without_shards(const std::vector<StoredShard>& shards,
                                        const Filter& filter) {
  std::vector<std::string> names = filter.databases;
  std::erase_if(names, [&](const std::string& name) {
    return std::ranges::any_of(
        shards, [&](const StoredShard& shard) { return shard.path.database == name; });
  });
  return names;
}

}  // namespace

ExportChoice choose_for_export(index::Repository& repository, const Manifest& snapshot,
                               const Filter& filter) {
  ExportChoice choice{stored_shards(repository.objects(), snapshot, filter), {}};
  Filter rest = filter;
  rest.databases = without_shards(choice.shards, filter);
  // With no database named, one shard is enough.
  if (filter.is_everything() || (rest.databases.empty() && !choice.shards.empty())) return choice;
  const auto metastore = Metastore::parse(stored_metastore(repository, snapshot), kStoredMetaLabel);
  require_known(metastore, rest);
  bool lacks_some = filter.shard.has_value();
  for (const MetaDatabase& database : metastore.databases()) {
    if (filter.shard || !rest.takes_database(database.name)) continue;
    if (has_live_shards(database, filter))
      lacks_some = true;
    else if (!rest.databases.empty())
      choice.notes.push_back(fmt::format("database {} has no shards: only the metastore holds it",
                                         quote(database.name)));
  }
  if (choice.shards.empty() && lacks_some)
    throw UsageError(
        fmt::format("snapshot {} holds no shard of {}", snapshot.short_id(), filter.text()),
        "tsmfs snapshots lists the databases");
  return choice;
}

}  // namespace tsmfs::snapshot
