// What the hooks of the preloaded fault_shim share.
#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

#include "faults.h"

#define TSMFS_HOOK extern "C" __attribute__((visibility("default")))

namespace tsmfs::faults {

// The function that a hook stands before.
template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

inline int fail(int error) {
  errno = error;
  return -1;
}

using Lock = std::lock_guard<std::recursive_mutex>;

inline std::string path_of(int fd) {
  Lock lock(state().mutex);
  const auto found = state().paths.find(fd);
  return found == state().paths.end() ? std::string() : found->second;
}

// The whole path of a name in an open directory.
inline std::string path_in(int directory, const char* path) {
  if (path == nullptr || path[0] == '/' || directory == AT_FDCWD) return path ? path : "";
  char link[64], name[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
  const long length = ::syscall(SYS_readlink, link, name, sizeof name);
  if (length <= 0) return path;
  const std::string whole(name, static_cast<size_t>(length));
  const bool itself = path[0] == '\0' || std::string_view(path) == ".";
  return itself ? whole : whole + "/" + path;
}

// Not through the hooks.
inline bool real_stat(const std::string& path, struct stat& status) {
  return real<int (*)(const char*, struct stat*)>("stat")(path.c_str(), &status) == 0;
}
inline bool real_fstat(int fd, struct stat& status) {
  return real<int (*)(int, struct stat*)>("fstat")(fd, &status) == 0;
}

}  // namespace tsmfs::faults
