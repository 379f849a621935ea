#include "snapshot/restore/restore_offline.h"

#include "snapshot/restore/restore_target.h"

namespace tsmfs::snapshot {

void restore_offline(index::Repository& repository, Catalog& catalog, const OfflineRequest& request,
                     OfflineResult& result, const std::stop_token& stop) {
  RestoreRequest restoring = request.restore;
  const bool data = !restoring.datadir.empty();
  result.chosen = choose_snapshot(*catalog.refresh(),
                                  {request.which, request.server, restoring.choice.filter, data},
                                  repository.objects(), now());
  request.on_chosen(result.chosen);
  restoring.snapshot = result.chosen.snapshot;
  restoring.stop = stop;
  require_no_server(restoring);
  result.plan = plan_restore(repository, restoring);
  check_target(result.plan, restoring);
  request.on_planned(result);
  if (!request.dry_run) restore(repository, result.plan, restoring, request.options, stop);
}

}  // namespace tsmfs::snapshot
