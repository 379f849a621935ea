// What a command says that was the first to write to a repository.
#pragma once

#include <filesystem>

#include "cli/commands/command.h"

namespace tsmfs::cli {

// "created repository DIR", unless it is to be quiet.
void show_created(const index::RepositoryLocation& repository, const Context& context);

}  // namespace tsmfs::cli
