// What an import writes into the manifest of its snapshot, wherever the files come from: its origin,
// its metastore, and what is missing or suspiciously small.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "index/repository/object_reader.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/intake/missing_shards.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// A manifest with what an import knows of it before it reads anything. Requires: the catalog is
// fresh.
Manifest begin_imported(const CatalogState& state, SnapshotOrigin origin);

// Parses meta.db and adds it to the snapshot with its databases; nothing, and a problem, when it
// cannot be parsed (it is kept as it is).
std::optional<Metastore> add_metastore(SnapshotBuilder& builder, const MetastoreAnswer& answer,
                                       const std::string& label);

// Judges what the metastore names in the databases of `asked` (null: in all), as far as the
// manifest's filter takes it, by what is in `here`
// (missing_shards.h). With `asked`, the filter becomes the databases that have shards here, when
// others have none, and a policy without any is taken for one that was not asked for: the snapshot
// is partial, as it is with a database of an earlier run that has got new shards since.
void note_missing(SnapshotBuilder& builder, const Metastore& metastore,
                  const std::map<ShardPath, ShardHere>& here, const std::set<std::string>* asked,
                  PastShards& past);

// Names the shards that hold much less than in the snapshot before: what -since, -start and -end
// leave out shows nowhere else.
void note_shrunk(SnapshotBuilder& builder, index::ObjectReader& objects, const CatalogState& state,
                 const std::map<ShardPath, uint64_t>& bytes);

}  // namespace tsmfs::snapshot
