#include "fs/mount_users.h"

#include "index/base/directory_users.h"

namespace tsmfs::fs {

std::string describe_users(const std::filesystem::path& mountpoint) {
  const auto users = find_directory_users(mountpoint, DirectoryUse::kAnything);
  return users.empty() ? "" : " by " + tsmfs::describe_users(users);
}

}  // namespace tsmfs::fs
