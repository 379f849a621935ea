#include "snapshot/influxdb/metastore_message.h"

#include <fmt/format.h>

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

}  // namespace tsmfs::snapshot
