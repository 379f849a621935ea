// The right to write to a repository: an flock(2) on locks/writer, which the kernel gives back when
// its holder dies.
#pragma once

#include <string>

#include "index/base/file.h"
#include "index/repository_paths.h"

namespace tsmfs::index {

class WriterLock {
 public:
  // Throws: BusyError saying who holds it, for what, and since when.
  WriterLock(const RepositoryPaths& paths, const std::string& purpose);

 private:
  Fd fd_;
};

}  // namespace tsmfs::index
