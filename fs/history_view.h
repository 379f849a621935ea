// The whole mount as a tree of nodes, over a repository's catalog and trees. Knows nothing of FUSE.
//
//   /backups/<time>/<db>/<rp>/<shard>/…   each snapshot as the server's data directory stood
//   /changes/<time>/…                     only what it added or replaced since the one before it
//   /meta/<time>/…                        the metastore
//   /wal/<time>/<db>/<rp>/<shard>/…       the write-ahead log, of snapshots that have one
//   /hosts/<server>/{backups,changes,meta,wal,at}/…   the same, one server at a time
//   …/latest -> <time>                    in each list, the newest that is whole
//   /at/<when> -> ../backups/<time>       the newest whole one that is not later; not listed
//   (index/base/point_in_time.h)
//
// <time> is RFC 3339 in UTC to the second, or as the mount's time_format has it; "-" and the
// snapshot's number behind it tell apart snapshots of one name. A name that was shown never passes
// to another snapshot.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fs/node.h"
#include "fs/snapshot_names.h"
#include "fs/snapshot_view.h"
#include "fs/tree_cache.h"
#include "index/base/mutex.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::fs {

// How many bytes and files the mount shows: what a copy of /backups would hold.
struct HistoryTotals {
  uint64_t bytes = 0;
  uint64_t files = 0;
};

// Thread safe. Requires: `catalog` and `trees` outlive it. Nothing is read before the first call of
// any function. All functions that take an inode return nothing when there is no such node (any
// more), and throw IoError and CorruptError.
class HistoryView {
 public:
  // How old the catalog may be when a list of snapshots is looked at.
  static constexpr int64_t kRefreshIntervalNs = 500'000'000;

  static constexpr size_t kNewerShownMax = 10;

  HistoryView(snapshot::Catalog& catalog, TreeCache& trees,
              std::string time_format = std::string(kTimeFormatDefault))
      : catalog_(catalog), trees_(trees), time_format_(std::move(time_format)) {}

  // `name` may be "." or "..".
  std::optional<LookupResult> lookup(const Inode& directory, std::string_view name);
  std::optional<Node> node(const Inode& inode);
  // Returns false when there is no such directory. An entry's node is given only for Detail::kNodes
  // and inside a snapshot.
  bool list(const Inode& directory, uint64_t cookie, Detail detail, const ListVisitor& visit);
  std::optional<std::string> read_link(const Inode& inode);
  std::optional<FileContent> file(const Inode& inode);
  // The snapshot that a node lies in; empty for those above the snapshots, and when there is none.
  snapshot::SnapshotPtr snapshot(const Inode& inode);
  // The snapshots of the same server that are newer than the one that a node lies in, by name and
  // with what they lack; one a line, the newest first, at most kNewerShownMax.
  std::string newer(const Inode& inode);
  // Of a file: the first snapshot, going back from its own without a gap, that holds the same
  // content under the same path. Empty when there is no such file.
  snapshot::SnapshotPtr first_with(const Inode& inode);
  HistoryTotals totals();
  // For messages: the path, and the snapshot it lies in. Empty when there is no such node. Never
  // throws.
  std::string describe(const Inode& inode) noexcept;

 private:
  using NamesPtr = std::shared_ptr<const SnapshotNames>;
  NamesPtr names();        // as last read
  NamesPtr fresh_names();  // not older than kRefreshIntervalNs
  NamesPtr read_names() TSMFS_REQUIRES(refreshing_);
  // The snapshot that an inode outside the lists lies in, if it is there.
  const ShownSnapshot* find_snapshot(const Inode& inode, NamesPtr& names);
  std::optional<Inode> parent(const Inode& inode);
  // What a snapshot has under a path such as "/db/rp/2/x.tsm" in a section.
  std::optional<FileContent> file_at(const ShownSnapshot& shown, Section section,
                                     std::string_view path);
  std::optional<LookupResult> lookup_in_list(const Inode& directory, std::string_view name);
  std::string path(const Inode& inode);

  snapshot::Catalog& catalog_;
  TreeCache& trees_;
  const std::string time_format_;
  Mutex refreshing_;
  Mutex mutex_;
  NamesPtr names_ TSMFS_GUARDED_BY(mutex_);
  int64_t read_at_ns_ TSMFS_GUARDED_BY(mutex_) = 0;  // on the steady clock
};

}  // namespace tsmfs::fs
