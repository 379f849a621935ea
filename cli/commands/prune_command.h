// What `tsmfs prune` and `tsmfs forget --prune` have in common.
#pragma once

#include <string>

#include "cli/commands/command.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::cli {

struct PruneCommand {
  std::string max_unused = "5%";
  bool dry_run = false;
  bool accept_loss = false;
  bool json = false;
};

// Adds --max-unused and --accept-loss.
void add_prune_options(CLI::App& command, PruneCommand& prune);
// Before anything is done: UsageError when an option has no sense.
void check_prune_options(const PruneCommand& prune);
// Requires: `repository` was opened for writing, but for a dry run.
ExitCode run_prune(index::Repository& repository, snapshot::Catalog& catalog,
                   const PruneCommand& command, Context& context);

}  // namespace tsmfs::cli
