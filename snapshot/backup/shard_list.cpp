#include "snapshot/backup/shard_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/influxdb/name_problems.h"

namespace tsmfs::snapshot {

namespace {

// Of all databases together: what a server names takes memory until the backup's end.
constexpr size_t kShardsMax = 1'000'000;

using Severity = Problem::Severity;

// "'a', 'b', 'c'"
std::string quoted_list(const std::set<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + quote(name);
  return list.empty() ? "none" : list;
}

[[noreturn]] void fail_absent(const char* kind, const std::string& name,
                              const std::set<std::string>& there) {
  throw UsageError(fmt::format("the server has no {} {}", kind, quote(name)),
                   fmt::format("it has: {}", quoted_list(there)));
}

// What the filter names has to be there: a backup of nothing helps nobody.
void check_filter(const Metastore& metastore, const Filter& filter) {
  std::set<std::string> databases, policies;
  for (const MetaDatabase& database : metastore.databases()) {
    databases.insert(database.name);
    if (!filter.takes_database(database.name)) continue;
    for (const MetaPolicy& policy : database.policies) policies.insert(policy.name);
  }
  for (const std::string& name : filter.databases)
    if (!databases.contains(name)) fail_absent("database", name, databases);
  if (!filter.policy.empty() && !policies.contains(filter.policy))
    fail_absent("retention policy", filter.policy, policies);
  if (filter.shard) {
    const auto place = metastore.find_shard(*filter.shard);
    if (!place || place->group->deleted ||
        !filter.takes(place->database->name, place->policy->name, *filter.shard))
      throw UsageError(fmt::format("the server has no shard {} there", *filter.shard),
                       "SHOW SHARDS in influx lists them");
  }
}

bool overlaps(const Metastore& metastore, const ShardPath& path, const TimeRange& range) {
  const auto place = metastore.find_shard(path.shard);
  return !place || (place->group->start <= range.end && place->group->end > range.start);
}

}  // namespace

ShardList list_shards(const InfluxdClient& client, const Metastore& metastore,
                      const Filter& filter) {
  ShardList list;
  if (filter.metastore_only) return list;
  check_filter(metastore, filter);
  list.problems = name_problems(metastore, filter);
  for (const MetaDatabase& database : metastore.databases()) {
    if (!filter.takes_database(database.name)) continue;
    if (!is_valid_name(database.name)) continue;
    const auto paths = client.list_shards(database.name);
    if (!paths) {
      list.problems.push_back({Severity::kIncomplete, database.name,
                               "the metastore names this database, but the server says that it "
                               "does not know it"});
      continue;
    }
    for (const std::string& path : paths->unusable)
      list.problems.push_back({Severity::kIncomplete, database.name,
                               fmt::format("has a shard {}, which cannot be the path of one: it is "
                                           "not in the snapshot",
                                           quote(path))});
    if (paths->shards.size() > kShardsMax - list.shards.size())
      throw ProtocolError(fmt::format("the server offers more than {} shards", kShardsMax),
                          "name databases with --database");
    for (const ShardPath& path : paths->shards)
      if (filter.takes(path) && (!filter.range || overlaps(metastore, path, *filter.range)))
        list.shards.push_back(path);
  }
  std::sort(list.shards.begin(), list.shards.end());
  return list;
}

}  // namespace tsmfs::snapshot
