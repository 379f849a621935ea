// The repository of a command that may be the first to write to it.
#pragma once

#include <functional>
#include <memory>

#include "index/repository/repository.h"

namespace tsmfs::index {

// Opens a repository for writing. One that is not there is made first, and `on_created` called.
// Throws: as Repository::create() and open_writer().
std::unique_ptr<Repository> open_or_create(const OpenOptions& options,
                                           const std::function<void()>& on_created);

}  // namespace tsmfs::index
