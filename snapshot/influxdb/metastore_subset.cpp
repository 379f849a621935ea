#include "snapshot/influxdb/metastore_subset.h"

#include <fmt/format.h>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore_message.h"
#include "snapshot/influxdb/metastore_part.h"

namespace tsmfs::snapshot {

namespace {

// Keeps the items that are chosen, in their order.
template <typename Items>
void keep_only(Items& items, const MetastorePart& part) {
  int kept = 0;
  for (int i = 0; i < items.size(); ++i) {
    if (!part.takes(items[i])) continue;
    if (kept != i) items.SwapElements(kept, i);
    ++kept;
  }
  items.DeleteSubrange(kept, items.size() - kept);
}

void reduce(metastore::DatabaseInfo& database, const MetastorePart& part) {
  keep_only(*database.mutable_retentionpolicies(), part);
  for (auto& policy : *database.mutable_retentionpolicies())
    keep_only(*policy.mutable_shardgroups(), part);
  mend_default_policy(database);
}

}  // namespace

ByteBuffer metastore_subset(ByteView meta_db, const Filter& filter,
                            const std::set<uint64_t>& shards, std::string_view object,
                            Subscriptions subscriptions) {
  metastore::Data data = parse_sound_metastore(meta_db, object);
  const MetastorePart part(filter, shards);
  keep_only(*data.mutable_databases(), part);
  for (auto& database : *data.mutable_databases()) reduce(database, part);
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
