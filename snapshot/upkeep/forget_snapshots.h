// One run of `tsmfs forget`.
#pragma once

#include <vector>

#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/upkeep/forget_plan.h"
#include "snapshot/upkeep/forgotten_shards.h"

namespace tsmfs::snapshot {

struct ForgetResult {
  std::vector<DecidedGroup> groups;
  std::vector<SnapshotPtr> going;    // by them
  std::vector<ForgottenShard> lost;  // of a preview: what would be in no snapshot any more
};

// Removes what goes by the plan. Requires: `state` is that of the catalog, and whoever calls holds
// the repository for writing. Throws: as plan_forget(); IoError.
ForgetResult forget_snapshots(Catalog& catalog, const CatalogState& state,
                              const ForgetRequest& request);
// Removes nothing. Throws: as plan_forget() and shards_only_in().
ForgetResult preview_forget(index::Repository& repository, const CatalogState& state,
                            const ForgetRequest& request);

}  // namespace tsmfs::snapshot
