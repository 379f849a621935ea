#include "snapshot/upkeep/forget_snapshots.h"

#include <utility>

namespace tsmfs::snapshot {

namespace {

ForgetResult decide(const CatalogState& state, const ForgetRequest& request) {
  ForgetResult result;
  result.groups = plan_forget(request, state);
  result.going = going_of(result.groups);
  return result;
}

}  // namespace

ForgetResult forget_snapshots(Catalog& catalog, const CatalogState& state,
                              const ForgetRequest& request) {
  ForgetResult result = decide(state, request);
  catalog.remove(result.going);
  return result;
}

ForgetResult preview_forget(index::Repository& repository, const CatalogState& state,
                            const ForgetRequest& request) {
  ForgetResult result = decide(state, request);
  result.lost = shards_only_in(repository.objects(), state, result.going);
  return result;
}

}  // namespace tsmfs::snapshot
