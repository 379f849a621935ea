#include "cli/commands/created_repository.h"

#include <fmt/ostream.h>

namespace tsmfs::cli {

void show_created(const std::filesystem::path& repository, const Context& context) {
  if (!context.quiet) fmt::print(context.err, "created repository {}\n", repository.string());
}

}  // namespace tsmfs::cli
