// The right to write to a repository: one process has it at a time.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <utility>

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

// Held until it is destroyed, or its process ends (Storage::lock).
class WriterLock {
 public:
  virtual ~WriterLock() = default;
};

}  // namespace tsmfs::index
