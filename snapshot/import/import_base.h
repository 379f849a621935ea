// What every import does, wherever the files come from.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/intake/missing_shards.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// The snapshot of that server, time and kind, when it is there: of several one of the same
// directory, then one that is complete, then the newest. Only those that `fits` says yes to count.
SnapshotPtr find_imported(
    const CatalogState& state, const Manifest& wanted,
    const std::function<bool(const Manifest&)>& fits = [](const Manifest&) { return true; });
// A complete snapshot of that server and time that came another way; null when there is none.
SnapshotPtr find_other_of_time(const CatalogState& state, const Manifest& wanted);
// Gives a snapshot that is there the tags that it has not yet. The snapshot as it is then; the same
// one when it had them all.
SnapshotPtr with_tags(Catalog& catalog, const SnapshotPtr& there,
                      const std::vector<std::string>& tags);
// The last snapshot of the server before a time.
SnapshotPtr last_before(const CatalogState& state, std::string_view server, Timestamp time);
// A manifest with what an import knows of it. Requires: the catalog is fresh.
Manifest begin_manifest(const CatalogState& state, const std::string& server, Timestamp time,
                        const std::string& address, std::string_view kind);

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
