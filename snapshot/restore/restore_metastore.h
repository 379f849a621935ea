// The metastore that a restore goes by: the snapshot's, or one that is derived from its shards.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/repository/repository.h"
#include "snapshot/restore/restore_plan.h"

namespace tsmfs::snapshot {

// A meta.db; nothing when the snapshot has none and none is to be derived. What of a derived one a
// person should know goes to `warnings`. Throws: UsageError as derive_metastore(), CorruptError,
// IoError.
std::optional<std::string> metastore_to_restore(index::Repository& repository,
                                                const RestoreRequest& request,
                                                std::vector<std::string>& warnings);

}  // namespace tsmfs::snapshot
