#include "cli/commands/created_repository.h"

#include <fmt/ostream.h>

namespace tsmfs::cli {

void show_created(const index::RepositoryLocation& repository, const Context& context) {
  if (!context.quiet) fmt::print(context.err, "created repository {}\n", repository.text());
}

}  // namespace tsmfs::cli
