// The bytes of a metastore as the message that they are, before anything is asked of its contents:
// Metastore::parse says whether it is a sound one.
#pragma once

#include <string_view>

#include "index/base/bytes.h"
#include "snapshot/influxdb/metastore.pb.h"

namespace tsmfs::snapshot {

// Throws CorruptError, which names `object`, for bytes that are no such message, or for more than
// kMetastoreBytesMax of them.
metastore::Data parse_metastore_message(ByteView protobuf, std::string_view object);

}  // namespace tsmfs::snapshot
