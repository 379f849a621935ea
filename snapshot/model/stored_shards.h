// The shards of a snapshot, and small files of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/repository/repository.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

struct StoredShard {
  ShardPath path;
  std::vector<TreeEntry> files;  // sorted by name
  uint64_t bytes = 0;
};

// What the filter lets through, sorted by path. Directories within a shard are left out: influxd
// makes them anew. Throws: CorruptError, IoError.
std::vector<StoredShard> stored_shards(index::ObjectReader& objects, const Manifest& manifest,
                                       const Filter& filter);

// The same of its write-ahead log; empty when it has none.
std::vector<StoredShard> stored_wal(index::ObjectReader& objects, const Manifest& manifest,
                                    const Filter& filter);
// What of the write-ahead log the filter lets through, where the points are not in the data files:
// "the write-ahead log of db/rp/1 (12 KiB)". Empty when there is nothing of it.
std::string describe_wal(index::ObjectReader& objects, const Manifest& manifest,
                         const Filter& filter);

// The whole content of a file of the snapshot's meta directory, its digest checked; nothing when
// there is no such file. Throws: CorruptError, IoError.
std::optional<ByteBuffer> stored_meta_file(index::Repository& repository, const Manifest& manifest,
                                           std::string_view name);

// How messages call it.
inline constexpr const char* kStoredMetaLabel = "the snapshot's meta.db";
// meta.db. Throws: UsageError when the snapshot has none, CorruptError, IoError.
ByteBuffer stored_metastore(index::Repository& repository, const Manifest& manifest);

}  // namespace tsmfs::snapshot
