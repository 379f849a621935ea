// What a command says of the snapshot that it chose.
#pragma once

#include "cli/command.h"
#include "snapshot/model/snapshot_choice.h"

namespace tsmfs::cli {

// Prints the notes. The status of a command that then does all it can: kIncomplete when the
// snapshot is known to miss some of what was asked for; kDamaged when it was not named and a
// damaged one may be what was meant.
ExitCode tell_of_choice(const snapshot::ChosenSnapshot& chosen, Context& context);

}  // namespace tsmfs::cli
