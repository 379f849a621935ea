#include "fs/reply.h"

#include <cerrno>
#include <chrono>
#include <functional>
#include <new>
#include <unordered_map>

#include "index/base/error.h"
#include "index/base/log.h"
#include "index/base/mutex.h"

namespace tsmfs::fs {
namespace {

// A reader of a damaged file gets the same error for each of its pieces; the log gets it once in a
// while.
class RepeatFilter {
 public:
  static constexpr size_t kMessagesMax = 256;
  static constexpr std::chrono::seconds kSilence{60};

  bool is_new(const std::string& message) {
    const auto now = std::chrono::steady_clock::now();
    MutexLock lock(mutex_);
    if (last_.size() >= kMessagesMax) last_.clear();
    const auto [found, inserted] = last_.try_emplace(std::hash<std::string>()(message), now);
    if (!inserted && now - found->second < kSilence) return false;
    found->second = now;
    return true;
  }

 private:
  Mutex mutex_;
  std::unordered_map<size_t, std::chrono::steady_clock::time_point> last_ TSMFS_GUARDED_BY(mutex_);
};

void log_failure(const std::string& what, const std::string& why) {
  static RepeatFilter filter;
  const std::string message = what + ": " + why;
  if (filter.is_new(message)) log::error("{}", message);
}

std::string describe(const std::exception_ptr& error) {
  if (error == nullptr) return "it was left without an answer";
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    return e.advice().empty() ? e.what() : std::string(e.what()) + " (" + e.advice() + ")";
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown failure";
  }
}

int translated(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ETIMEDOUT:
      return error_number;
    default:
      return EIO;  // "no such file", "no space left" and the like are about the repository's files,
                   // not about this one
  }
}

}  // namespace

bool Reply::claim() {
  if (answered_) {
    log_failure("a request", "it was answered twice");
    return false;
  }
  answered_ = true;
  return true;
}

int error_number_of(const std::exception_ptr& error) noexcept {
  if (error == nullptr) return EIO;
  try {
    std::rethrow_exception(error);
  } catch (const IoError& e) {
    return translated(e.error_number());
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (const Cancelled&) {
    return EINTR;
  } catch (...) {
    return EIO;
  }
}

void end_failed(Reply& reply, const std::string& what, const std::exception_ptr& error) noexcept {
  // First the answer: somebody waits for it, and logging can fail.
  if (!reply.answered()) reply.error(error_number_of(error));
  try {
    log_failure(what, describe(error));
  } catch (...) {
    // Nothing is left that could be told to anybody.
  }
}

}  // namespace tsmfs::fs
