#include "snapshot/influxdb/metastore_part.h"

#include <algorithm>

namespace tsmfs::snapshot {

bool MetastorePart::takes_shard(uint64_t id) const {
  return (!filter_.shard || *filter_.shard == id) && (!shards_ || shards_->contains(id));
}

bool MetastorePart::takes(const metastore::ShardGroupInfo& group) const {
  if (group.deletedat() != 0) return false;
  if (!filter_.shard && !shards_) return true;
  return std::ranges::any_of(group.shards(),
                             [&](const auto& shard) { return takes_shard(shard.id()); });
}

bool MetastorePart::takes(const metastore::RetentionPolicyInfo& policy) const {
  if (!filter_.policy.empty() && policy.name() != filter_.policy) return false;
  return !filter_.shard ||
         std::ranges::any_of(policy.shardgroups(), [&](const auto& group) { return takes(group); });
}

bool MetastorePart::takes(const metastore::DatabaseInfo& database) const {
  if (!filter_.takes_database(database.name())) return false;
  if (filter_.policy.empty() && !filter_.shard) return true;
  return std::ranges::any_of(database.retentionpolicies(),
                             [&](const auto& policy) { return takes(policy); });
}

}  // namespace tsmfs::snapshot
