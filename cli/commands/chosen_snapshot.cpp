#include "cli/commands/chosen_snapshot.h"

#include "cli/output/format.h"

namespace tsmfs::cli {

ExitCode tell_of_choice(const snapshot::ChosenSnapshot& chosen, Context& context) {
  for (const std::string& note : chosen.notes) print_message(context.err, "warning", note);
  if (chosen.unsure) return ExitCode::kDamaged;
  return chosen.incomplete ? ExitCode::kIncomplete : ExitCode::kOk;
}

}  // namespace tsmfs::cli
