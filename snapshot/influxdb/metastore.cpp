#include "snapshot/influxdb/metastore.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/influxdb/metastore_message.h"

namespace tsmfs::snapshot {

namespace {

// InfluxDB writes Go's zero time as 0.
std::optional<Timestamp> optional_time(int64_t unix_ns) {
  if (unix_ns == 0) return std::nullopt;
  return Timestamp{unix_ns};
}

class Converter {
 public:
  explicit Converter(std::string_view object) : object_(object) {}

  MetaDatabase database(const metastore::DatabaseInfo& from) const {
    if (!from.has_name()) fail("a database has no name");
    MetaDatabase to;
    to.name = from.name();
    to.default_policy = from.defaultretentionpolicy();
    for (const auto& each : from.retentionpolicies()) to.policies.push_back(policy(each));
    require_distinct(to.policies, "policies of the name");
    return to;
  }

  template <typename Named>
  void require_distinct(const std::vector<Named>& items, const char* what) const {
    std::unordered_set<std::string_view> names;
    for (const Named& item : items)
      if (!names.insert(item.name).second)
        fail(fmt::format("there are two {} {}", what, quote(item.name)));
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw CorruptError(fmt::format("{} is not a sound metastore: {}", object_, why));
  }

 private:
  MetaPolicy policy(const metastore::RetentionPolicyInfo& from) const {
    if (!from.has_name()) fail("a retention policy has no name");
    MetaPolicy to;
    to.name = from.name();
    to.duration_ns = from.duration();
    to.shard_group_duration_ns = from.shardgroupduration();
    to.replicas = from.replican();
    for (const auto& each : from.shardgroups()) to.groups.push_back(group(each));
    return to;
  }

  MetaShardGroup group(const metastore::ShardGroupInfo& from) const {
    if (!from.has_id()) fail("a shard group has no number");
    MetaShardGroup to;
    to.id = from.id();
    to.start = {from.starttime()};
    to.end = {from.endtime()};
    to.deleted = optional_time(from.deletedat());
    to.truncated = optional_time(from.truncatedat());
    for (const auto& shard : from.shards()) {
      if (!shard.has_id()) fail("a shard has no number");
      to.shards.push_back(shard.id());
    }
    return to;
  }

  std::string_view object_;
};

}  // namespace

Metastore Metastore::parse(ByteView protobuf, std::string_view object) {
  const Converter converter(object);
  const metastore::Data data = parse_metastore_message(protobuf, object);
  if (!data.has_index() || !data.has_clusterid())
    converter.fail("it has no index or no cluster id");
  Metastore result;
  result.change_index_ = data.index();
  result.cluster_id_ = data.clusterid();
  for (const auto& each : data.databases()) result.databases_.push_back(converter.database(each));
  converter.require_distinct(result.databases_, "databases of the name");
  result.index_shards();
  return result;
}

void Metastore::index_shards() {
  for (size_t d = 0; d < databases_.size(); ++d) {
    const std::vector<MetaPolicy>& policies = databases_[d].policies;
    for (size_t p = 0; p < policies.size(); ++p)
      for (size_t g = 0; g < policies[p].groups.size(); ++g)
        for (const uint64_t id : policies[p].groups[g].shards) shards_.push_back({id, d, p, g});
  }
  const auto order = [this](const ShardEntry& entry) {
    return std::pair(entry.id, place(entry).group->deleted.has_value());
  };
  std::ranges::stable_sort(shards_, {}, order);
}

const MetaDatabase* Metastore::find_database(std::string_view name) const {
  const auto found =
      std::find_if(databases_.begin(), databases_.end(),
                   [&](const MetaDatabase& database) { return database.name == name; });
  return found == databases_.end() ? nullptr : &*found;
}

std::optional<MetaShardPlace> Metastore::find_shard(uint64_t id) const {
  const auto found = std::ranges::lower_bound(shards_, id, {}, &ShardEntry::id);
  if (found == shards_.end() || found->id != id) return std::nullopt;
  return place(*found);
}

bool Metastore::has_shard(const ShardPath& path) const {
  auto entry = std::ranges::lower_bound(shards_, path.shard, {}, &ShardEntry::id);
  for (; entry != shards_.end() && entry->id == path.shard; ++entry) {
    const MetaShardPlace there = place(*entry);
    if (!there.group->deleted && path.database == there.database->name &&
        path.policy == there.policy->name)
      return true;
  }
  return false;
}

MetaShardPlace Metastore::place(const ShardEntry& entry) const {
  const MetaDatabase& database = databases_[entry.database];
  const MetaPolicy& policy = database.policies[entry.policy];
  return {&database, &policy, &policy.groups[entry.group]};
}

}  // namespace tsmfs::snapshot
