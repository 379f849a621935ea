// What a rehearsal found, for a person or as JSON.
#pragma once

#include <ostream>

#include "cli/serve/rehearsal_run.h"

namespace tsmfs::cli {

void print_rehearsal_json(std::ostream& out, const RehearsalOutcome& outcome);
// Warnings, problems and failures go to `err`.
void print_rehearsal(std::ostream& out, std::ostream& err, const RehearsalOutcome& outcome);

}  // namespace tsmfs::cli
