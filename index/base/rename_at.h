// renameat2(2), and whether it is the file system that cannot do it.
#pragma once

#include <cerrno>
#include <cstdio>

namespace tsmfs {

enum class RenameResult {
  kDone,
  kUnknown,  // a file system, a kernel or a sandbox without it: to be done in another way, which
             // tells whether it is more than that (EPERM)
  kFailed,   // errno says why
};

// `flags`: RENAME_NOREPLACE or RENAME_EXCHANGE.
inline RenameResult rename_at(int from_directory, const char* from, int to_directory,
                              const char* to, unsigned flags) {
  if (::renameat2(from_directory, from, to_directory, to, flags) == 0) return RenameResult::kDone;
  const bool unknown = errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM;
  return unknown ? RenameResult::kUnknown : RenameResult::kFailed;
}

}  // namespace tsmfs
