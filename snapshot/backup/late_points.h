// Points that a server held in its cache while it streamed a shard.
//
// From 1.8.5 on influxd tries to write a shard's cache out before it streams the shard: at once,
// and after 1, 32 and 1024 ms. While another backup or a full cache keeps it from that, it then
// streams what is on disk, and says so in its own log only. So an answer that begins within a
// second has everything. One that does not may lack what the cache held: the shard is asked for
// once more, for what is later than what came, until an answer begins at once, or until the server
// has been seen to write the cache out: a time range is not exported without that (the answer is
// empty then).
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "index/base/timestamp.h"
#include "index/repository/object_reader.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

// How long to wait between one look and the next for a cache to be written out: two minutes in all,
// when `pauses` are those of RetryPolicy.
std::vector<std::chrono::milliseconds> cache_pauses(std::vector<std::chrono::milliseconds> pauses);

// Whether all that the server had acknowledged of a shard by now is in files; false also when it
// cannot be told. Throws: Cancelled.
bool is_written_out(const InfluxdClient& client, const ShardPath& path);

bool holds_tombstones(const std::vector<TreeEntry>& files);

// From when on to ask for what is later than the newest of `files`, by the server's own clock, and
// not later than `start`, whatever a file says of itself. The newest come again: a large cache is
// written to several files, the first long before the last, and all appear at the end. Requires:
// there are some.
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
