// What of a metastore cannot be backed up, since its name cannot stand in a directory.
#pragma once

#include <vector>

#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/manifest.h"

namespace tsmfs::snapshot {

// One for each such database, and each such policy of another database, that the filter lets
// through. A metastore like that is stored as it is; a restore refuses what is named here.
std::vector<Problem> name_problems(const Metastore& metastore, const Filter& filter);

}  // namespace tsmfs::snapshot
