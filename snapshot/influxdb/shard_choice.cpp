#include "snapshot/influxdb/shard_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/base/some_of.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kNamesListedMax = 20;

template <typename Items, typename Name>
std::string list(const Items& items, Name name) {
  std::vector<std::string> names;
  names.reserve(items.size());
  for (const auto& item : items) names.push_back(name(item));
  return names.empty() ? "none" : some_of(names, kNamesListedMax);
}

template <typename Items>
std::string list_names(const Items& items) {
  return list(items, [](const auto& item) { return quote(item.name); });
}

void require_databases(const Metastore& snapshot, const Filter& filter) {
  for (const std::string& name : filter.databases)
    if (!snapshot.find_database(name))
      throw UsageError(fmt::format("the snapshot has no database {}", quote(name)),
                       "it has " + list_names(snapshot.databases()));
}

void require_policy(const Metastore& snapshot, const Filter& filter) {
  if (filter.policy.empty()) return;
  bool found = false;
  for (const MetaDatabase& database : snapshot.databases()) {
    if (!filter.takes_database(database.name)) continue;
    const bool here = std::ranges::any_of(
        database.policies, [&](const MetaPolicy& policy) { return policy.name == filter.policy; });
    found = found || here;
    if (!here && !filter.databases.empty())
      throw UsageError(fmt::format("database {} of the snapshot has no retention policy {}",
                                   quote(database.name), quote(filter.policy)),
                       "it has " + list_names(database.policies));
  }
  if (!found)
    throw UsageError(
        fmt::format("no database of the snapshot has a retention policy {}", quote(filter.policy)));
}

void require_shard(const Metastore& snapshot, const Filter& filter, const ShardMoves& chosen) {
  if (!filter.shard || !chosen.empty()) return;
  const auto place = snapshot.find_shard(*filter.shard);
  if (place && place->group->deleted)
    throw UsageError(
        fmt::format("shard {} had been deleted when the snapshot was made", *filter.shard));
  if (place)
    throw UsageError(fmt::format("shard {} of the snapshot belongs to {}.{}", *filter.shard,
                                 quote(place->database->name), quote(place->policy->name)));
  MetaChoice without_shard;
  without_shard.filter = filter;
  without_shard.filter.shard.reset();
  std::vector<uint64_t> there;
  for (const auto& [id, path] : choose_shards(snapshot, without_shard)) there.push_back(id);
  throw UsageError(fmt::format("the snapshot has no shard {}", *filter.shard),
                   "it has " + list(there, [](uint64_t id) { return std::to_string(id); }));
}

// What influxd takes as a name, and a directory can have.
void require_new_name(const std::optional<Name>& name, const char* what) {
  if (name && !is_influxd_name(*name))
    throw UsageError(fmt::format("{} cannot be the name of a {}", quote(*name), what));
}

void require_sensible(const MetaChoice& choice) {
  require_new_name(choice.new_database, "database");
  require_new_name(choice.new_policy, "retention policy");
  if (choice.new_database && choice.filter.databases.size() != 1 && !choice.filter.shard)
    throw UsageError("a new database name needs the one database that gets it",
                     "name it with --database");
  if (choice.new_policy && choice.filter.policy.empty() && !choice.filter.shard)
    throw UsageError("a new policy name needs the policy that gets it", "name it with --retention");
  if (choice.new_policy && choice.filter.databases.size() != 1 && !choice.filter.shard)
    throw UsageError("a new policy name needs the one database that the policy is of",
                     "name it with --database");
}

// The name under which a database or a policy is restored. The server would make its directory, so
// one that climbs out of the data directory must not come into a metastore either.
Name target_name(const std::string& stored, const std::optional<Name>& other, const char* what,
                 const char* options) {
  if (other) return *other;
  if (const auto name = Name::parse(stored)) return *name;
  throw CorruptError(fmt::format("the snapshot's metastore has a {} of the name {}, which no "
                                 "directory can have: it cannot be restored",
                                 what, quote(stored)),
                     fmt::format("nothing was restored; name what is wanted with {}", options));
}

Name database_target(const MetaDatabase& database, const MetaChoice& choice) {
  return target_name(database.name, choice.new_database, "database", "--database");
}

Name policy_target(const MetaPolicy& policy, const MetaChoice& choice) {
  return target_name(policy.name, choice.new_policy, "retention policy",
                     "--database and --retention");
}

// The chosen shards of a policy that the filter lets through, but for the shard.
std::vector<uint64_t> live_shards(const MetaPolicy& policy, const Filter& filter) {
  std::vector<uint64_t> ids;
  for (const MetaShardGroup& group : policy.groups)
    for (const uint64_t id : group.shards)
      if (!group.deleted && (!filter.shard || *filter.shard == id)) ids.push_back(id);
  return ids;
}

}  // namespace

void require_known(const Metastore& snapshot, const Filter& filter) {
  require_databases(snapshot, filter);
  require_policy(snapshot, filter);
}

ShardMoves choose_shards(const Metastore& snapshot, const MetaChoice& choice) {
  require_sensible(choice);
  require_known(snapshot, choice.filter);
  ShardMoves chosen;
  for (const MetaDatabase& database : snapshot.databases()) {
    const Filter& filter = choice.filter;
    if (!filter.takes_database(database.name)) continue;
    // With a policy or a shard named, a database without it is not chosen.
    std::optional<Name> database_name;
    if (filter.policy.empty() && !filter.shard) database_name = database_target(database, choice);
    for (const MetaPolicy& policy : database.policies) {
      if (!filter.policy.empty() && filter.policy != policy.name) continue;
      const std::vector<uint64_t> ids = live_shards(policy, filter);
      if (filter.shard && ids.empty()) continue;
      if (!database_name) database_name = database_target(database, choice);
      const Name policy_name = policy_target(policy, choice);
      for (const uint64_t id : ids)
        if (!chosen.emplace(id, ShardPath{*database_name, policy_name, id}).second)
          throw CorruptError(
              fmt::format("the snapshot's metastore names shard {} in two places", id));
    }
  }
  require_shard(snapshot, choice.filter, chosen);
  return chosen;
}

}  // namespace tsmfs::snapshot
