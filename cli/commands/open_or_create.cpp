#include "cli/commands/open_or_create.h"

#include <fmt/ostream.h>

namespace tsmfs::cli {

std::unique_ptr<index::Repository> open_or_create(const std::filesystem::path& root,
                                                  const index::LockRequest& request,
                                                  std::ostream* err) {
  if (index::Repository::is_vacant(root) && index::Repository::create(root, request) && err)
    fmt::print(*err, "created repository {}\n", root.string());
  return index::Repository::open_writer(root, request);
}

}  // namespace tsmfs::cli
