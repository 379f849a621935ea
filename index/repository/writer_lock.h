// The right to write to a repository: an flock(2) on locks/writer, which the kernel gives back when
// its holder dies.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "index/base/file.h"
#include "index/format/local_state.h"

namespace tsmfs::index {

// What a command wants the lock for, and how long it waits for another one to end.
struct LockRequest {
  LockRequest(const char* what_for) : purpose(what_for) {}  // NOLINT: a purpose is a request
  LockRequest(std::string what_for, std::chrono::seconds how_long, std::stop_token token)
      : purpose(std::move(what_for)), wait(how_long), stop(std::move(token)) {}
  std::string purpose;  // "backup"
  std::chrono::seconds wait{0};
  std::stop_token stop;
};

class WriterLock {
 public:
  // Throws: BusyError saying who holds it, for what, and since when; Cancelled when `stop` is
  // requested while it waits.
  WriterLock(const LocalState& local, const LockRequest& request);

 private:
  Fd fd_;
};

}  // namespace tsmfs::index
