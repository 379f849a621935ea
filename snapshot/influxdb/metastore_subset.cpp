#include "snapshot/influxdb/metastore_subset.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore_message.h"

namespace tsmfs::snapshot {

namespace {

// Keeps the items that `keep` says yes to, in their order.
template <typename Items, typename Keep>
void keep_only(Items& items, Keep keep) {
  int kept = 0;
  for (int i = 0; i < items.size(); ++i) {
    if (!keep(*items.Mutable(i))) continue;
    if (kept != i) items.SwapElements(kept, i);
    ++kept;
  }
  items.DeleteSubrange(kept, items.size() - kept);
}

class Subset {
 public:
  Subset(const Filter& filter, const std::set<uint64_t>& shards)
      : filter_(filter), shards_(shards) {}

  bool reduce(metastore::DatabaseInfo& database) const {
    if (!filter_.takes_database(database.name())) return false;
    auto& policies = *database.mutable_retentionpolicies();
    keep_only(policies, [&](metastore::RetentionPolicyInfo& policy) { return reduce(policy); });
    if (policies.empty()) return !filter_.shard && filter_.policy.empty();
    mend_default_policy(database);
    return true;
  }

 private:
  bool reduce(metastore::RetentionPolicyInfo& policy) const {
    if (!filter_.policy.empty() && filter_.policy != policy.name()) return false;
    auto& groups = *policy.mutable_shardgroups();
    keep_only(groups, [&](metastore::ShardGroupInfo& group) {
      if (group.deletedat() != 0) return false;
      return std::any_of(group.shards().begin(), group.shards().end(),
                         [&](const auto& shard) { return shards_.contains(shard.id()); });
    });
    return !filter_.shard || !groups.empty();
  }

  const Filter& filter_;
  const std::set<uint64_t>& shards_;
};

}  // namespace

ByteBuffer metastore_subset(ByteView meta_db, const Filter& filter,
                            const std::set<uint64_t>& shards, std::string_view object,
                            Subscriptions subscriptions) {
  metastore::Data data = parse_sound_metastore(meta_db, object);
  const Subset subset(filter, shards);
  keep_only(*data.mutable_databases(),
            [&](metastore::DatabaseInfo& database) { return subset.reduce(database); });
  data.clear_users();
  if (subscriptions == Subscriptions::kDrop)
    for (auto& database : *data.mutable_databases())
      for (auto& policy : *database.mutable_retentionpolicies()) policy.clear_subscriptions();
  ByteBuffer out(data.ByteSizeLong());
  if (!data.SerializeToArray(out.data(), static_cast<int>(out.size())))
    throw CorruptError(fmt::format("{} cannot be written again", object));
  return out;
}

uint64_t metastore_max_node_id(ByteView meta_db, std::string_view object) {
  return parse_sound_metastore(meta_db, object).maxnodeid();
}

}  // namespace tsmfs::snapshot
