#include "fs/mount_point.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fs/mount_table.h"
#include "fs/mount_users.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/is_within.h"
#include "index/base/log.h"

namespace tsmfs::fs {
namespace {

namespace stdfs = std::filesystem;

// Without links, also when what is mounted there answers no more.
stdfs::path resolve(const stdfs::path& path) {
  try {
    if (auto resolved = resolve_if_exists(path)) return *resolved;
  } catch (const IoError&) {
    // What has to work there meets it again, and says so.
  }
  const stdfs::path plain = absolute_path(path).lexically_normal();
  const stdfs::path name = plain.has_filename() ? plain : plain.parent_path();
  return resolved_path(name.parent_path()) / name.filename();
}

// True when the process that served the mount is gone.
bool is_dead(const stdfs::path& path) {
  try {
    status_of(path);
    return false;
  } catch (const IoError& error) {
    return error.error_number() == ENOTCONN;
  }
}

[[noreturn]] void throw_busy(const stdfs::path& path) {
  throw MountInUseError(fmt::format("{} is in use{}", path.string(), describe_users(path)),
                        "end what uses it (a shell in it counts), or use tsmfs umount --lazy");
}

void unmount_as_root(const stdfs::path& path, bool lazy) {
  if (::umount2(path.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0) return;
  if (errno == EBUSY) throw_busy(path);
  throw_errno("cannot unmount " + path.string());
}

// Others than root go through libfuse's set-user-id program.
void unmount_as_user(const stdfs::path& path, bool lazy) {
  std::string program = "fusermount3", unmount_flag = lazy ? "-uz" : "-u", quiet = "-q", end = "--",
              where = path;
  char* arguments[] = {program.data(), unmount_flag.data(), quiet.data(),
                       end.data(),     where.data(),        nullptr};
  pid_t child = 0;
  if (const int error =
          ::posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ);
      error != 0) {
    throw IoError("cannot run fusermount3", error, "install fuse3, or unmount as root");
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  if (const std::string users = describe_users(path); !users.empty()) throw_busy(path);
  throw IoError("cannot unmount " + path.string(), EPERM,
                "unmount as the user who mounted it, or as root");
}

void unmount_resolved(const stdfs::path& path, bool lazy) {
  if (::geteuid() == 0) {
    unmount_as_root(path, lazy);
  } else {
    unmount_as_user(path, lazy);
  }
}

void require_apart(const stdfs::path& path, const stdfs::path& repository) {
  if (is_within(path.native(), repository.native())) {
    throw UsageError(path.string() + " lies in the repository " + repository.string(),
                     "mount on a directory outside of it");
  }
  if (is_within(repository.native(), path.native())) {
    throw UsageError(fmt::format("a mount at {} would hide the repository {}", path.string(),
                                 repository.string()),
                     "mount on a directory that does not hold it");
  }
}

}  // namespace

stdfs::path check_mountpoint(const stdfs::path& mountpoint,
                             const std::optional<stdfs::path>& repository, bool nonempty_allowed) {
  if (mountpoint.empty())
    throw UsageError("no mount point was named", "name an existing directory");
  stdfs::path path = resolve(mountpoint);
  auto mount = find_mount(path);
  if (mount && mount->type == kMountType && is_dead(path)) {
    log::info("tsmfs: the process behind the mount at {} is gone; clearing the mount",
              path.string());
    unmount_resolved(path, true);
    mount = find_mount(path);
  }
  if (mount && mount->type == kMountType) {
    throw UsageError(fmt::format("{} is mounted at {} already", mount->source, path.string()),
                     "use it, or unmount it with tsmfs umount");
  }
  const auto status = status_if_exists(path);
  if (!status)
    throw UsageError("there is no directory " + path.string(),
                     "create it: mkdir -p " + path.string());
  if (!S_ISDIR(status->st_mode))
    throw UsageError(path.string() + " is not a directory", "mount on an existing directory");
  if (repository) require_apart(path, *repository);
  if (!nonempty_allowed && holds_something(path)) {
    throw UsageError(
        fmt::format("{} is not empty, and a mount would hide what is in it", path.string()),
        "mount on an empty directory, or use -o nonempty");
  }
  return path;
}

void unmount(const stdfs::path& mountpoint, bool lazy) {
  const stdfs::path path = resolve(mountpoint);
  const auto mount = find_mount(path);
  if (!mount || mount->type != kMountType) {
    throw UsageError(fmt::format("no tsmfs repository is mounted at {}", path.string()),
                     "findmnt -t fuse.tsmfs lists what is");
  }
  unmount_resolved(path, lazy);
}

}  // namespace tsmfs::fs
