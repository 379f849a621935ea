// What a command says of the snapshot that it chose.
#pragma once

#include "cli/commands/command.h"
#include "snapshot/model/snapshot_choice.h"

namespace tsmfs::cli {

// Of a command that does all it can with it: kIncomplete when the snapshot is known to miss some of
// what was asked for; kDamaged when it was not named and a damaged one may be what was meant.
ExitCode status_of_choice(const snapshot::ChosenSnapshot& chosen);
// Prints the notes. The status as status_of_choice() has it.
ExitCode tell_of_choice(const snapshot::ChosenSnapshot& chosen, Context& context);

}  // namespace tsmfs::cli
