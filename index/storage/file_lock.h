// A lock by flock(2), which the kernel gives back when its holder dies.
#pragma once

#include <filesystem>
#include <string>

#include "index/base/file.h"
#include "index/storage/writer_lock.h"

namespace tsmfs::index {

class FileLock : public WriterLock {
 public:
  // `file` is made if it is not there; its text says who holds it. `what` is locked by it: a word
  // for people. Throws: as Storage::lock().
  FileLock(const std::filesystem::path& file, const std::string& what, const LockRequest& request);

 private:
  Fd fd_;
};

}  // namespace tsmfs::index
