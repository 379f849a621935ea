// How a history is mounted, and the words of "-o" that say so.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fs/snapshot_names.h"
#include "index/repository/repository.h"

namespace tsmfs::fs {

struct MountOptions {
  std::filesystem::path mountpoint;  // absolute, and checked by check_mountpoint()
  std::string source;                // what the mount table shows as mounted: the repository's path
  bool nonempty = false;             // a directory with something in it, which the mount will hide
  bool allow_other = false;          // users other than the one who mounts
  uid_t uid = 0;                     // who owns all that is shown
  gid_t gid = 0;
  mode_t umask = 0;                                             // permission bits that nothing has
  std::string time_format{kTimeFormatDefault};                  // of snapshots' names: strftime(3)
  size_t cache_bytes = index::OpenOptions::kCacheBytesDefault;  // of decompressed data
  std::vector<std::string>
      flags;  // mount(8)'s words that go on to the kernel: noatime, noexec, ...

  // Nothing mounted yet; owned by the calling process's user.
  static MountOptions for_caller();
};

// Takes a comma-separated list: allow_other, nonempty, uid=USER, gid=GROUP, umask=OCTAL,
// cache=SIZE, time_format=STRFTIME, and mount(8)'s words as far as they fit a read-only file
// system. Throws: UsageError, also for "rw".
void apply_mount_words(std::string_view words, MountOptions& options);

// As parse_owner() takes it (index/base/owner.h). Throws: UsageError when there is no such user or
// group.
void apply_owner(std::string_view owner, MountOptions& options);

// "256M": of decompressed data. Throws: UsageError, also for less than a mount can work with.
void apply_cache_size(std::string_view size, MountOptions& options);

}  // namespace tsmfs::fs
