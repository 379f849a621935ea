#include "cli/commands/open_or_create.h"

#include <fmt/ostream.h>

namespace tsmfs::cli {

std::unique_ptr<index::Repository> open_or_create(const index::OpenOptions& options,
                                                  std::ostream* err) {
  if (index::Repository::is_vacant(options.location) && index::Repository::create(options) && err)
    fmt::print(*err, "created repository {}\n", options.location.string());
  return index::Repository::open_writer(options);
}

}  // namespace tsmfs::cli
