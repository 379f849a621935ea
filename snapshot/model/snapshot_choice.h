// Which snapshot a restore or an export takes: the newest that holds what is asked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/filter.h"

namespace tsmfs::snapshot {

struct SnapshotWish {
  // "latest", an id or its beginning, an RFC 3339 time, or a point in time
  // (index/base/point_in_time.h): the newest that is not later.
  std::string_view which = "latest";
  std::string_view server;  // empty: any
  Filter asked;             // databases, policy, shard
  bool data = true;         // false: the metastore only
};

struct ChosenSnapshot {
  SnapshotPtr snapshot;
  // What a person should know: what it lacks, or a newer one does, and manifests that are damaged.
  std::vector<std::string> notes = {};
  bool incomplete = false;  // of what is asked, something is known to be missing
  bool unsure = false;      // it was not named, and a damaged one may be what was meant
};

// Of those that `which` lets through the newest that holds all that is asked; where none does, the
// newest that holds a part of it. One that is named is taken as it is. Where none holds anything of
// it, the newest: what it has, the restore will say. Throws: UsageError when there is no such
// snapshot, and when several servers have what is asked; CorruptError, IoError.
ChosenSnapshot choose_snapshot(const CatalogState& state, const SnapshotWish& wish,
                               index::ObjectReader& objects, Timestamp now);

}  // namespace tsmfs::snapshot
