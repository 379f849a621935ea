// The bytes of a metastore as the message that they are: Metastore::parse says whether it is a
// sound one.
#pragma once

#include <string_view>

#include "index/base/bytes.h"
#include "snapshot/influxdb/metastore.pb.h"

namespace tsmfs::snapshot {

// Before anything is asked of its contents. Throws CorruptError, which names `object`, for bytes
// that are no such message, or for more than kMetastoreBytesMax of them.
metastore::Data parse_metastore_message(ByteView protobuf, std::string_view object);
// The message of a metastore that Metastore::parse takes. Throws: CorruptError for any other.
metastore::Data parse_sound_metastore(ByteView protobuf, std::string_view object);

// A default policy that the database does not have gives way to its first one.
void mend_default_policy(metastore::DatabaseInfo& database);

}  // namespace tsmfs::snapshot
