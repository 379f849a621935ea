// How large a metastore may be, on its way in and in a snapshot.
#pragma once

#include <cstdint>

namespace tsmfs::snapshot {

// Parsing takes up to 60 times the size in memory. A metastore of 100 000 shards has some 5 MB.
constexpr uint64_t kMetastoreBytesMax = uint64_t{32} << 20;

}  // namespace tsmfs::snapshot
