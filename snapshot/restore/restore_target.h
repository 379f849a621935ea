// The directories that a restore writes to: may it, and can it?
#pragma once

#include "snapshot/restore/restore_plan.h"

namespace tsmfs::snapshot {

// Throws: BusyError when an influxd has files of the request's directories open or mapped.
void require_no_server(const RestoreRequest& request);

// Every reason not to begin. Changes nothing. Throws: BusyError as require_no_server(); UsageError
// when a shard is there and is not to be replaced, a directory is none, or the files cannot be
// given to their owner; IoError when a directory cannot be written to; Error when the disk is too
// small.
void check_target(const RestorePlan& plan, const RestoreRequest& request);

}  // namespace tsmfs::snapshot
