#include "cli/command.h"

#include "index/base/error.h"

namespace tsmfs::cli {

void add_repository_option(CLI::App& command, std::filesystem::path& repository) {
  command.add_option("--repo,-r", repository, "The repository's directory")
      ->envname("TSMFS_REPOSITORY")
      ->type_name("DIR");
}

void require_repository(const std::filesystem::path& repository) {
  if (repository.empty())
    throw UsageError("no repository was named", "use --repo DIR, or set TSMFS_REPOSITORY");
}

}  // namespace tsmfs::cli
