#include "index/storage/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/host_name.h"
#include "index/base/log.h"
#include "index/base/timestamp.h"

namespace tsmfs::index {

namespace {

constexpr size_t kHolderBytesMax = 4096;
constexpr std::chrono::milliseconds kPollInterval{100};

// Whoever got the lock just now may be about to write who it is: any part of that can be there, and
// none of it matters but to a person.
std::string holder_of(const Fd& fd) {
  std::string text(kHolderBytesMax, '\0');
  const ssize_t count = ::pread(fd.number(), text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return text.empty() ? "another process" : text;
}

// Whether the file of that name is the one that is open: whoever had the lock may have removed it.
bool is_still(const Fd& fd, const std::filesystem::path& file) {
  const auto named = status_if_exists(file);
  const struct stat open = file_status(fd, file);
  return named && named->st_ino == open.st_ino && named->st_dev == open.st_dev;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& file, const std::string& what,
                   const LockRequest& request)
    : fd_(open_file(file, O_RDWR | O_CREAT)) {
  const auto deadline = std::chrono::steady_clock::now() + request.wait;
  bool said = false;
  for (;;) {
    if (::flock(fd_.number(), LOCK_EX | LOCK_NB) == 0) {
      if (is_still(fd_, file)) break;
      fd_ = open_file(file, O_RDWR | O_CREAT);
      continue;
    }
    if (errno != EWOULDBLOCK) throw_errno("cannot lock " + file.string());
    const std::string holder = holder_of(fd_);
    if (request.stop.stop_requested()) throw Cancelled();
    if (std::chrono::steady_clock::now() >= deadline)
      throw BusyError(
          fmt::format("{} is in use by {}", what, holder),
          "wait until it has finished, then run the command again, or give --lock-wait");
    if (!std::exchange(said, true))
      log::info("waiting up to {} s for {}", request.wait.count(), holder);
    std::this_thread::sleep_for(kPollInterval);
  }
  const std::string holder = fmt::format("tsmfs {} (process {} on {}) since {}", request.purpose,
                                         ::getpid(), host_name(), format_rfc3339(now()));
  if (::ftruncate(fd_.number(), 0) != 0) throw_errno("cannot write " + file.string());
  write_all(fd_, as_bytes(holder), file);
}

}  // namespace tsmfs::index
