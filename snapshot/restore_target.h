// The directories that a restore writes to: may it, can it, and whose will the files be?
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "snapshot/restore_plan.h"

namespace tsmfs::snapshot {

struct FileOwner {
  uid_t user = 0;
  gid_t group = 0;
};

// The wanted owner, or that of the directory, or of the nearest one above it that is there.
FileOwner target_owner(const std::filesystem::path& directory, const Owner& wanted);

// Throws: BusyError when an influxd has files of the request's directories open or mapped.
void require_no_server(const RestoreRequest& request);

// Every reason not to begin. Changes nothing. Throws: BusyError as require_no_server(); UsageError
// when a shard is there and is not to be replaced, a directory is none, or the files cannot be
// given to their owner; Error when the disk is too small.
void check_target(const RestorePlan& plan, const RestoreRequest& request);

}  // namespace tsmfs::snapshot
