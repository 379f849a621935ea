#include "snapshot/influxdb/metastore_message.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/metastore_limit.h"

namespace tsmfs::snapshot {

metastore::Data parse_metastore_message(ByteView protobuf, std::string_view object) {
  if (protobuf.size() > kMetastoreBytesMax)
    throw CorruptError(fmt::format("{} is not a sound metastore: it is larger than {} bytes",
                                   object, kMetastoreBytesMax));
  metastore::Data data;
  if (!data.ParseFromArray(protobuf.data(), static_cast<int>(protobuf.size())))
    throw CorruptError(fmt::format("{} is not a sound metastore: it cannot be parsed", object));
  return data;
}

metastore::Data parse_sound_metastore(ByteView protobuf, std::string_view object) {
  Metastore::parse(protobuf, object);  // throws for what is none
  return parse_metastore_message(protobuf, object);
}

void mend_default_policy(metastore::DatabaseInfo& database) {
  const auto& policies = database.retentionpolicies();
  const bool is_there = std::ranges::any_of(policies, [&](const auto& policy) {
    return policy.name() == database.defaultretentionpolicy();
  });
  if (!is_there && !policies.empty()) database.set_defaultretentionpolicy(policies.begin()->name());
}

}  // namespace tsmfs::snapshot
