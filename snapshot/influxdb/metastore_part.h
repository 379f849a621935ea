// Which part of a metastore is chosen: of its message, down to the shard.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "snapshot/influxdb/metastore.pb.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

class MetastorePart {
 public:
  // What the filter lets through; with `shards`, of shards no others than these.
  explicit MetastorePart(Filter filter, std::optional<std::set<uint64_t>> shards = std::nullopt)
      : filter_(std::move(filter)), shards_(std::move(shards)) {}

  bool takes_shard(uint64_t id) const;
  // Not one that has been deleted, and where shards are chosen, one that has any of them.
  bool takes(const metastore::ShardGroupInfo& group) const;
  // Where a shard is filtered for, only what has it; where a policy is, no database without it.
  bool takes(const metastore::RetentionPolicyInfo& policy) const;
  bool takes(const metastore::DatabaseInfo& database) const;

 private:
  Filter filter_;
  std::optional<std::set<uint64_t>> shards_;
};

}  // namespace tsmfs::snapshot
