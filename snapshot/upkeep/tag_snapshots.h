// What a person says of snapshots later: their tags, and which of their missing shards are
// accepted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "snapshot/model/catalog.h"

namespace tsmfs::snapshot {

enum class TagChange { kAdd, kRemove };

struct TagRequest {
  TagChange change = TagChange::kAdd;
  std::string tag;
  std::vector<std::string> snapshots;  // ids, times, or latest
};

struct TagReport {
  std::vector<SnapshotPtr> amended;    // as they are now
  std::vector<SnapshotPtr> unchanged;  // they have the tag already, or do not have it
};

// Durable on return. Requires: the caller is the repository's writer; `state` is the catalog's.
// Throws: UsageError when a name means no snapshot, the tag is none, or none of them has the one
// that is to go: a typing error; IoError. Nothing is changed then.
TagReport tag_snapshots(Catalog& catalog, const CatalogState& state, const TagRequest& request);

struct AcceptRequest {
  uint64_t shard = 0;
  std::string snapshot;  // an id, a time, or latest
};

// The snapshot, in which the shard is accepted as missing; later ones of its server carry it on, as
// long as the shard is missing. Requires: as tag_snapshots(). Throws: UsageError when there is
// nothing to accept; IoError.
SnapshotPtr accept_missing_shard(Catalog& catalog, const CatalogState& state,
                                 const AcceptRequest& request);

}  // namespace tsmfs::snapshot
