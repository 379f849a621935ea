// --host and --tag, which choose snapshots.
#pragma once

#include "cli/commands/command.h"
#include "snapshot/model/selection.h"

namespace tsmfs::cli {

void add_selection_options(CLI::App& command, snapshot::Selection& selection);

}  // namespace tsmfs::cli
