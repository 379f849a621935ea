// Points that a server held in its cache while it streamed a shard.
//
// Before influxd streams a shard it writes the shard's cache out. Two things go wrong with that:
//
// From 1.8.5 on, while another backup or a full cache keeps it from that, it tries again after 1,
// 32 and 1024 ms, then streams what is on disk, and says so in its own log only. So an answer that
// begins within a second was not given without the cache.
//
// A write-out that has failed (a full disk) is only repeated by the next one, which then succeeds
// though the points that came since are still in the cache.
//
// So a shard that did not answer at once, or has files so young that something was written out, is
// asked until two write-outs have been seen, then for what is later than what came. To see one
// costs no transfer: what is later than all times is asked for, and the answer, which is an empty
// tar, begins at once. Where a network is too slow for that, a time range that no point has tells
// as much: no range is exported before the cache is written out (the answer is empty then).
//
// What is later than what came is told by names, not by times: a server rounds the times in a tar
// to seconds, and a file that a slow disk has still been syncing is older than one that came.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "index/base/timestamp.h"
#include "index/repository/object_reader.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::snapshot {

// The latest of their times; the epoch of none.
Timestamp newest_time(const std::vector<TreeEntry>& files);

// Whether something of these files was written out lately, of a backup that began at `start`.
bool was_written_lately(const std::vector<TreeEntry>& files, Timestamp start);

// How one waits for a cache.
struct CacheWait {
  std::vector<std::chrono::milliseconds> pauses;  // of RetryPolicy; the last one is repeated
  std::chrono::milliseconds quick{1000};          // likewise
  bool probes =
      true;  // by ranges too: that leaves files open in a server where there are tombstones
};

// Waits until two write-outs of the shard's cache have been seen; false when that takes more than
// about two minutes, or the server stops answering for as long as the pauses are. Throws:
// Cancelled.
bool wait_written_out(const InfluxdClient& client, const ShardPath& path, const CacheWait& wait,
                      const std::stop_token& stop);

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

// `files`, with what came later; nothing when the server has compacted files that had deleted
// points, so that it cannot be told what belongs to what. Requires: files are flushed if
// holds_compactions(). Throws: CorruptError, IoError.
std::optional<std::vector<TreeEntry>> lay_later_over(index::ObjectReader& objects,
                                                     const std::vector<TreeEntry>& files,
                                                     const std::vector<TreeEntry>& later);

}  // namespace tsmfs::snapshot
