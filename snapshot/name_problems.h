// What of a metastore cannot be backed up, since its name cannot stand in a directory.
#pragma once

#include <vector>

#include "snapshot/filter.h"
#include "snapshot/manifest.h"
#include "snapshot/metastore.h"

namespace tsmfs::snapshot {

// One for each such database, and each such policy of another database, that the filter lets
// through. A metastore like that is stored as it is; a restore refuses what is named here.
std::vector<Problem> name_problems(const Metastore& metastore, const Filter& filter);

}  // namespace tsmfs::snapshot
