#include "cli/commands/chosen_snapshot.h"

#include "cli/output/format.h"

namespace tsmfs::cli {

ExitCode status_of_choice(const snapshot::ChosenSnapshot& chosen) {
  if (chosen.unsure) return ExitCode::kDamaged;
  return chosen.incomplete ? ExitCode::kIncomplete : ExitCode::kOk;
}

ExitCode tell_of_choice(const snapshot::ChosenSnapshot& chosen, Context& context) {
  for (const std::string& note : chosen.notes) print_message(context.err, "warning", note);
  return status_of_choice(chosen);
}

}  // namespace tsmfs::cli
