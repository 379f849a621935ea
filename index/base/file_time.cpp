#include "index/base/file_time.h"

#include <sys/stat.h>

#include "index/base/error.h"

namespace tsmfs {

timespec to_timespec(Timestamp time) {
  int64_t seconds = time.unix_ns / kNanosecondsPerSecond;
  int64_t nanoseconds = time.unix_ns % kNanosecondsPerSecond;
  if (nanoseconds < 0) {
    --seconds;
    nanoseconds += kNanosecondsPerSecond;
  }
  return {seconds, nanoseconds};
}

Timestamp from_timespec(const timespec& time) {
  return {time.tv_sec * kNanosecondsPerSecond + time.tv_nsec};
}

void set_file_time(const Fd& file, Timestamp time, const std::filesystem::path& path) {
  const timespec mtime = to_timespec(time);
  const timespec times[2] = {mtime, mtime};
  if (::futimens(file.number(), times) != 0) throw_errno("cannot set the time of " + path.string());
}

}  // namespace tsmfs
