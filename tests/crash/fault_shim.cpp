// Preloaded into tsmfs, makes the n-th change of files below some directories go wrong, or the n-th
// look at them, whoever it is that asks: tsmfs, RocksDB or the standard library.
//
//   TSMFS_FAULT_ROOT    the directories, absolute, with ':' between them
//   TSMFS_FAULT_AT      n, from 1
//   TSMFS_FAULT_KIND    kill    the process dies before the change
//                       torn    half of a write is made, then the process dies
//                       power   the process dies, and what was not synced is lost: files are cut to
//                               their synced length, renames whose directory was not synced are
//                               undone, and what was made in one that was not synced is gone
//                       off     the same, when the process has ended; AT means nothing
//                       enospc  the change fails with ENOSPC, and so do all later ones but removals
//                       eio     the change fails with EIO
//                       eioread, eiostat, eiolist, eioopen
//                               the n-th read, the n-th of stat and its kin, the n-th opendir or
//                               readdir, the n-th open for reading fails with EIO; no change fails
//                       eaccesopen  as eioopen, with EACCES
//   TSMFS_FAULT_SHADOW  for power: an empty directory on the same file system, outside the root
//   TSMFS_FAULT_LOG     a file that gets the number of such calls and, for a fault, what it hit
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <mutex>
#include <string>
#include <utility>

#include "fault_hooks.h"

namespace {

using namespace tsmfs::faults;

template <typename Open>
int hooked_open(const std::string& path, int flags, const Open& open) {
  Lock lock(state().mutex);
  if (!below_root(path)) return open();
  struct stat status {};
  const bool there = real_stat(path, status);
  const bool creates = (flags & O_CREAT) != 0 && !there;
  if (creates)
    if (const int error = change("create", path)) return fail(error);
  if ((flags & (O_ACCMODE | O_CREAT)) == O_RDONLY)
    if (const int error = look(Look::kOpen, "open", path)) return fail(error);
  const int fd = open();
  if (fd < 0) return fd;
  state().paths[fd] = path;
  if (creates) note_made(path);
  const bool writes = (flags & O_ACCMODE) != O_RDONLY && (flags & O_TMPFILE) != O_TMPFILE;
  if (writes && !state().written.contains(path))
    state().written[path] = {there && (flags & O_TRUNC) == 0 ? status.st_size : 0, creates};
  return fd;
}

template <typename Write>
ssize_t hooked_write(int fd, size_t length, const Write& write) {
  Lock lock(state().mutex);
  const std::string path = path_of(fd);
  if (path.empty()) return write(length);
  if (const int error = change("write", path, false, [&] { write(length / 2); }))
    return fail(error);
  if (const auto found = state().written.find(path); found != state().written.end())
    found->second.dirty = true;
  return write(length);
}

template <typename Read>
ssize_t hooked_read(int fd, const Read& read) {
  Lock lock(state().mutex);
  const std::string path = path_of(fd);
  if (path.empty()) return read();
  if (const int error = look(Look::kRead, "read", path)) return fail(error);
  return read();
}

template <typename Sync>
int hooked_sync(int fd, const Sync& sync) {
  Lock lock(state().mutex);
  const std::string path = path_of(fd);
  if (path.empty()) return sync();
  if (const int error = change("sync", path, true)) return fail(error);
  const int result = sync();
  struct stat status {};
  if (result != 0 || !real_fstat(fd, status)) return result;
  if (const auto found = state().written.find(path); found != state().written.end())
    found->second = {status.st_size, false};
  if (S_ISDIR(status.st_mode))
    std::erase_if(state().made, [&](const std::string& made) { return parent_of(made) == path; });
  if (S_ISDIR(status.st_mode))
    std::erase_if(state().renames, [&](const Rename& rename) {
      if (parent_of(rename.to) != path) return false;
      if (!rename.shadow.empty()) ::syscall(SYS_unlink, rename.shadow.c_str());
      return true;
    });
  return result;
}

template <typename DoRename>
int hooked_rename(const char* from, const char* to, const DoRename& rename) {
  Lock lock(state().mutex);
  if (!below_root(to)) return rename();
  if (const int error = change("rename", to)) return fail(error);
  Rename done{from, to, "", false};
  if (struct stat status{};
      (state().kind == Kind::kPower || state().kind == Kind::kOff) && real_stat(to, status)) {
    done.shadow = state().shadow + "/" + std::to_string(state().count);
    if (::syscall(SYS_link, to, done.shadow.c_str()) != 0) done.shadow.clear();
  }
  const int result = rename();
  if (result != 0) return result;
  state().renames.push_back(done);
  note_rename(from, to);
  return result;
}

template <typename Remove>
int hooked_remove(const char* what, const std::string& path, const Remove& remove) {
  Lock lock(state().mutex);
  if (!below_root(path)) return remove();
  if (const int error = change(what, path, true)) return fail(error);
  const int result = remove();
  if (result == 0) state().written.erase(path);
  if (result == 0) std::erase(state().made, path);
  return result;
}

__attribute__((destructor)) void report() {
  if (state().kind == Kind::kOff) {
    lose_power();
    write_log("fault at the end: power\n");
  }
  write_log("calls " + std::to_string(state().count) + "\n");
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

#define TSMFS_HOOK_OPEN(name)                                                \
  TSMFS_HOOK int name(const char* path, int flags, ...) {                    \
    va_list arguments;                                                       \
    va_start(arguments, flags);                                              \
    const mode_t mode = mode_of(flags, arguments);                           \
    va_end(arguments);                                                       \
    return hooked_open(path ? path : "", flags, [&] {                        \
      return real<int (*)(const char*, int, ...)>(#name)(path, flags, mode); \
    });                                                                      \
  }
TSMFS_HOOK_OPEN(open)
TSMFS_HOOK_OPEN(open64)

#define TSMFS_HOOK_OPENAT(name)                                                              \
  TSMFS_HOOK int name(int directory, const char* path, int flags, ...) {                     \
    va_list arguments;                                                                       \
    va_start(arguments, flags);                                                              \
    const mode_t mode = mode_of(flags, arguments);                                           \
    va_end(arguments);                                                                       \
    return hooked_open(path_in(directory, path), flags, [&] {                                \
      return real<int (*)(int, const char*, int, ...)>(#name)(directory, path, flags, mode); \
    });                                                                                      \
  }
TSMFS_HOOK_OPENAT(openat)
TSMFS_HOOK_OPENAT(openat64)

TSMFS_HOOK int close(int fd) {
  Lock lock(state().mutex);
  state().paths.erase(fd);
  return real<int (*)(int)>("close")(fd);
}

TSMFS_HOOK ssize_t write(int fd, const void* bytes, size_t length) {
  return hooked_write(fd, length, [&](size_t count) {
    return real<ssize_t (*)(int, const void*, size_t)>("write")(fd, bytes, count);
  });
}

TSMFS_HOOK ssize_t read(int fd, void* bytes, size_t length) {
  return hooked_read(
      fd, [&] { return real<ssize_t (*)(int, void*, size_t)>("read")(fd, bytes, length); });
}
#define TSMFS_HOOK_PREAD(name)                                                               \
  TSMFS_HOOK ssize_t name(int fd, void* bytes, size_t length, off_t offset) {                \
    return hooked_read(fd, [&] {                                                             \
      return real<ssize_t (*)(int, void*, size_t, off_t)>(#name)(fd, bytes, length, offset); \
    });                                                                                      \
  }
TSMFS_HOOK_PREAD(pread)
TSMFS_HOOK_PREAD(pread64)

#define TSMFS_HOOK_PWRITE(name)                                                                   \
  TSMFS_HOOK ssize_t name(int fd, const void* bytes, size_t length, off_t offset) {               \
    return hooked_write(fd, length, [&](size_t count) {                                           \
      return real<ssize_t (*)(int, const void*, size_t, off_t)>(#name)(fd, bytes, count, offset); \
    });                                                                                           \
  }
TSMFS_HOOK_PWRITE(pwrite)
TSMFS_HOOK_PWRITE(pwrite64)

TSMFS_HOOK int fsync(int fd) {
  return hooked_sync(fd, [&] { return real<int (*)(int)>("fsync")(fd); });
}
TSMFS_HOOK int fdatasync(int fd) {
  return hooked_sync(fd, [&] { return real<int (*)(int)>("fdatasync")(fd); });
}

#define TSMFS_HOOK_FTRUNCATE(name)                                               \
  TSMFS_HOOK int name(int fd, off_t length) {                                    \
    return static_cast<int>(hooked_write(fd, 0, [&](size_t) {                    \
      return static_cast<ssize_t>(real<int (*)(int, off_t)>(#name)(fd, length)); \
    }));                                                                         \
  }
TSMFS_HOOK_FTRUNCATE(ftruncate)
TSMFS_HOOK_FTRUNCATE(ftruncate64)

TSMFS_HOOK int rename(const char* from, const char* to) {
  return hooked_rename(from, to,
                       [&] { return real<int (*)(const char*, const char*)>("rename")(from, to); });
}
TSMFS_HOOK int renameat(int from_directory, const char* from, int to_directory, const char* to) {
  const std::string whole_from = path_in(from_directory, from);
  const std::string whole_to = path_in(to_directory, to);
  return hooked_rename(whole_from.c_str(), whole_to.c_str(), [&] {
    return real<int (*)(int, const char*, int, const char*)>("renameat")(from_directory, from,
                                                                         to_directory, to);
  });
}
TSMFS_HOOK int renameat2(int from_directory, const char* from, int to_directory, const char* to,
                         unsigned flags) {
  Lock lock(state().mutex);
  const std::string whole_from = path_in(from_directory, from);
  const std::string whole_to = path_in(to_directory, to);
  const auto rename = [&] {
    return real<int (*)(int, const char*, int, const char*, unsigned)>("renameat2")(
        from_directory, from, to_directory, to, flags);
  };
  if ((flags & RENAME_EXCHANGE) == 0)
    return hooked_rename(whole_from.c_str(), whole_to.c_str(), rename);
  if (!below_root(whole_to)) return rename();
  if (const int error = change("exchange", whole_to)) return fail(error);
  const int result = rename();
  if (result == 0) state().renames.push_back({whole_from, whole_to, "", true});
  return result;
}
TSMFS_HOOK int mkdirat(int directory, const char* path, mode_t mode) {
  Lock lock(state().mutex);
  const std::string whole = path_in(directory, path);
  if (below_root(whole))
    if (const int error = change("mkdir", whole)) return fail(error);
  const int result = real<int (*)(int, const char*, mode_t)>("mkdirat")(directory, path, mode);
  if (result == 0) note_made(whole);
  return result;
}
TSMFS_HOOK int unlink(const char* path) {
  return hooked_remove("unlink", path, [&] { return real<int (*)(const char*)>("unlink")(path); });
}
TSMFS_HOOK int remove(const char* path) {
  return hooked_remove("remove", path, [&] { return real<int (*)(const char*)>("remove")(path); });
}
TSMFS_HOOK int rmdir(const char* path) {
  return hooked_remove("rmdir", path, [&] { return real<int (*)(const char*)>("rmdir")(path); });
}
TSMFS_HOOK int unlinkat(int directory, const char* path, int flags) {
  return hooked_remove("unlink", path_in(directory, path), [&] {
    return real<int (*)(int, const char*, int)>("unlinkat")(directory, path, flags);
  });
}
TSMFS_HOOK int mkdir(const char* path, mode_t mode) {
  Lock lock(state().mutex);
  if (below_root(path))
    if (const int error = change("mkdir", path)) return fail(error);
  const int result = real<int (*)(const char*, mode_t)>("mkdir")(path, mode);
  if (result == 0) note_made(path);
  return result;
}
