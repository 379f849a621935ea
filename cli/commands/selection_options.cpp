#include "cli/commands/selection_options.h"

namespace tsmfs::cli {

void add_selection_options(CLI::App& command, snapshot::Selection& selection) {
  command.add_option("--host", selection.host, "Only snapshots of this server")->type_name("NAME");
  command.add_option("--tag", selection.tag, "Only snapshots with this tag")->type_name("TAG");
}

}  // namespace tsmfs::cli
