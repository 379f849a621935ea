#include "index/writer_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "index/base/error.h"
#include "index/base/timestamp.h"

namespace tsmfs::index {

namespace {

constexpr uint64_t kHolderBytesMax = 4096;

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "an unknown host";
}

}  // namespace

WriterLock::WriterLock(const RepositoryPaths& paths, const std::string& purpose)
    : fd_(open_file(paths.writer_lock(), O_RDWR | O_CREAT)) {
  if (::flock(fd_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw_errno("cannot lock " + paths.writer_lock().string());
    throw BusyError(fmt::format("repository {} is in use by {}", paths.root().string(),
                                read_whole_file(paths.writer_lock(), kHolderBytesMax)),
                    "wait until it has finished, then run the command again");
  }
  const std::string holder = fmt::format("tsmfs {} (process {} on {}) since {}", purpose,
                                         ::getpid(), host_name(), format_rfc3339(now()));
  if (::ftruncate(fd_.number(), 0) != 0)
    throw_errno("cannot write " + paths.writer_lock().string());
  write_all(fd_, as_bytes(holder), paths.writer_lock());
}

}  // namespace tsmfs::index
