// The directory that a history is mounted on: whether it can be, and taking it off again.
#pragma once

#include <filesystem>
#include <optional>

#include "index/base/error.h"

namespace tsmfs::fs {

// Somebody uses what is mounted.
class MountInUseError : public BusyError {
 public:
  using BusyError::BusyError;
};

// The absolute path, without links, of a directory that a repository can be mounted on;
// `repository` is its own (absolute, without links), if it lies in one. A mount there whose process
// was killed is taken off first. Throws: UsageError when it is no directory, would cover the
// repository or lie inside it, has a tsmfs mount on it, or has anything in it that
// `nonempty_allowed` does not let the mount hide; IoError.
std::filesystem::path check_mountpoint(const std::filesystem::path& mountpoint,
                                       const std::optional<std::filesystem::path>& repository,
                                       bool nonempty_allowed = false);

// Takes a tsmfs mount off. `lazy`: at once for newcomers, for those who use it when they are done.
// Throws: UsageError when no tsmfs is mounted there; MountInUseError, naming who uses it; IoError.
void unmount(const std::filesystem::path& mountpoint, bool lazy);

}  // namespace tsmfs::fs
