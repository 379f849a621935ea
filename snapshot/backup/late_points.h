// Points that a server held in its cache while it streamed a shard.
//
// From 1.8.5 on influxd streams a shard whose cache is being written out without what the cache
// holds, and says so in its own log only. So a shard that was written to lately is asked for once
// more, for what is later than what came.
#pragma once

#include <optional>
#include <vector>

#include "index/base/timestamp.h"
#include "index/repository/object_reader.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// Whether points may have been on their way when the shard came, of a backup that began at `start`:
// its times are the present ones, or one of its files is that young.
bool was_written_lately(const ShardPath& path, const std::vector<TreeEntry>& files,
                        const Metastore& metastore, Timestamp start);

// From when on to ask for what is later than the newest of `files`, by the server's own clock, and
// not later than `start`, whatever a file says of itself. The
// newest comes again, for the stream gives times in seconds. Requires: there are some.
Timestamp since_of_later(const std::vector<TreeEntry>& files, Timestamp start);

// Takes away what `files` has already, and everything when no TSM file is left. A TSM file never
// changes: what comes under its name once more is no other.
void drop_known(const std::vector<TreeEntry>& files, std::vector<TreeEntry>& later);

// Whether lay_later_over() reads what is stored of `later`.
bool holds_compactions(const std::vector<TreeEntry>& later);

// `files`, with what came later; nothing when the server has compacted files and deleted points
// meanwhile, so that it cannot be told what belongs to what. Requires: files are flushed if
// holds_compactions(). Throws: CorruptError, IoError.
std::optional<std::vector<TreeEntry>> lay_later_over(index::ObjectReader& objects,
                                                     const std::vector<TreeEntry>& files,
                                                     const std::vector<TreeEntry>& later);

}  // namespace tsmfs::snapshot
