// The repository of a command that may be the first to write to it.
#pragma once

#include <memory>
#include <ostream>

#include "index/repository/repository.h"

namespace tsmfs::cli {

// Opens a repository for writing. One that is not there is made first, which is said on `err`
// unless that is null. Throws: as Repository::create() and open_writer().
std::unique_ptr<index::Repository> open_or_create(const index::OpenOptions& options,
                                                  std::ostream* err);

}  // namespace tsmfs::cli
