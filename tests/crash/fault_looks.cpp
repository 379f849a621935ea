// The hooks of fault_shim that look at files by their names and list directories; fault_shim.cpp
// says what fails when.
#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>

#include "fault_hooks.h"

namespace {

using namespace tsmfs::faults;

template <typename Stat>
int hooked_stat(const char* what, const std::string& path, const Stat& stat) {
  Lock lock(state().mutex);
  if (!below_root(path)) return stat();
  if (const int error = look(Look::kStat, what, path)) return fail(error);
  return stat();
}

template <typename Open>
DIR* hooked_opendir(const std::string& path, const Open& open) {
  Lock lock(state().mutex);
  if (!below_root(path)) return open();
  if (const int error = look(Look::kList, "opendir", path)) {
    errno = error;
    return nullptr;
  }
  DIR* const list = open();
  if (list != nullptr) state().lists[list] = path;
  return list;
}

template <typename Read>
auto hooked_readdir(DIR* list, const Read& read) -> decltype(read()) {
  Lock lock(state().mutex);
  const auto found = state().lists.find(list);
  const int error = found == state().lists.end() ? 0 : look(Look::kList, "readdir", found->second);
  if (error == 0) return read();
  errno = error;
  return nullptr;
}

}  // namespace

#define TSMFS_HOOK_STAT(name, type)                                                             \
  TSMFS_HOOK int name(const char* path, type* status) {                                         \
    return hooked_stat("stat", path_in(AT_FDCWD, path),                                         \
                       [&] { return real<int (*)(const char*, type*)>(#name)(path, status); }); \
  }
TSMFS_HOOK_STAT(stat, struct stat)
TSMFS_HOOK_STAT(lstat, struct stat)
TSMFS_HOOK_STAT(stat64, struct stat64)
TSMFS_HOOK_STAT(lstat64, struct stat64)

#define TSMFS_HOOK_FSTAT(name, type)                                                  \
  TSMFS_HOOK int name(int fd, type* status) {                                         \
    return hooked_stat("fstat", path_of(fd),                                          \
                       [&] { return real<int (*)(int, type*)>(#name)(fd, status); }); \
  }
TSMFS_HOOK_FSTAT(fstat, struct stat)
TSMFS_HOOK_FSTAT(fstat64, struct stat64)

#define TSMFS_HOOK_FSTATAT(name, type)                                                           \
  TSMFS_HOOK int name(int directory, const char* path, type* status, int flags) {                \
    return hooked_stat("fstatat", path_in(directory, path), [&] {                                \
      return real<int (*)(int, const char*, type*, int)>(#name)(directory, path, status, flags); \
    });                                                                                          \
  }
TSMFS_HOOK_FSTATAT(fstatat, struct stat)
TSMFS_HOOK_FSTATAT(fstatat64, struct stat64)

TSMFS_HOOK int statx(int directory, const char* path, int flags, unsigned mask,
                     struct statx* status) {
  return hooked_stat("statx", path_in(directory, path), [&] {
    return real<int (*)(int, const char*, int, unsigned, struct statx*)>("statx")(
        directory, path, flags, mask, status);
  });
}
TSMFS_HOOK int access(const char* path, int mode) {
  return hooked_stat("access", path_in(AT_FDCWD, path),
                     [&] { return real<int (*)(const char*, int)>("access")(path, mode); });
}
// It looks at every part of the path, by calls that no hook sees.
TSMFS_HOOK char* realpath(const char* path, char* resolved) {
  char* result = nullptr;
  hooked_stat("realpath", path_in(AT_FDCWD, path), [&] {
    result = real<char* (*)(const char*, char*)>("realpath")(path, resolved);
    return result ? 0 : -1;
  });
  return result;
}
TSMFS_HOOK char* __realpath_chk(const char* path, char* resolved, size_t) {
  return realpath(path, resolved);
}

TSMFS_HOOK DIR* opendir(const char* path) {
  return hooked_opendir(path_in(AT_FDCWD, path),
                        [&] { return real<DIR* (*)(const char*)>("opendir")(path); });
}
TSMFS_HOOK DIR* fdopendir(int fd) {
  return hooked_opendir(path_of(fd), [&] { return real<DIR* (*)(int)>("fdopendir")(fd); });
}
TSMFS_HOOK dirent* readdir(DIR* list) {
  return hooked_readdir(list, [&] { return real<dirent* (*)(DIR*)>("readdir")(list); });
}
TSMFS_HOOK dirent64* readdir64(DIR* list) {
  return hooked_readdir(list, [&] { return real<dirent64* (*)(DIR*)>("readdir64")(list); });
}
TSMFS_HOOK int closedir(DIR* list) {
  Lock lock(state().mutex);
  state().lists.erase(list);
  state().paths.erase(::dirfd(list));
  return real<int (*)(DIR*)>("closedir")(list);
}
