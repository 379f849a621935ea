#include "index/base/file_time.h"

#include <sys/stat.h>

#include "index/base/error.h"

namespace tsmfs {

void set_file_time(const Fd& file, Timestamp time, const std::filesystem::path& path) {
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t ns = time.unix_ns % kSecond;
  if (ns < 0) ns += kSecond;
  const timespec mtime{(time.unix_ns - ns) / kSecond, ns};
  const timespec times[2] = {mtime, mtime};
  if (::futimens(file.number(), times) != 0) throw_errno("cannot set the time of " + path.string());
}

}  // namespace tsmfs
