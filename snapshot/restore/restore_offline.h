// One run of `tsmfs restore` into directories: a snapshot, chosen, planned and written.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/snapshot_choice.h"
#include "snapshot/restore/restore_plan.h"
#include "snapshot/restore/restorer.h"

namespace tsmfs::snapshot {

struct OfflineResult {
  ChosenSnapshot chosen;
  RestorePlan plan;
  // Whether something that was asked for, and that the snapshot has, does not come, or not as it
  // was asked for.
  bool lacks() const { return plan.lacks_settings || plan.lacks_wal || plan.log_wins; }
};

struct OfflineRequest {
  std::string which = "latest";  // as SnapshotWish
  std::string server;            // likewise
  RestoreRequest restore;        // of the snapshot that is chosen by them
  RestoreOptions options;
  bool dry_run = false;  // plans, and looks whether the target can take it
  std::function<void(const ChosenSnapshot&)> on_chosen = [](const ChosenSnapshot&) {};
  // Nothing is in the way; before anything is written.
  std::function<void(const OfflineResult&)> on_planned = [](const OfflineResult&) {};
};

// `result` says at any time, also after a throw, how far it came: a plan without shards and meta.db
// is none yet. Throws: as choose_snapshot(), plan_restore(), check_target() and restore().
void restore_offline(index::Repository& repository, Catalog& catalog, const OfflineRequest& request,
                     OfflineResult& result, const std::stop_token& stop);

}  // namespace tsmfs::snapshot
