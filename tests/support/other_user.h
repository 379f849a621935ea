// A user without rights, in whose directories tests let root work.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace tsmfs::test {

constexpr uid_t kOtherUser = 12345;  // no entry in the user database
constexpr gid_t kOtherGroup = 12346;

inline bool is_root() {
  return ::geteuid() == 0;
}

// The path itself, if it is a link.
inline void give_to(const std::filesystem::path& path, uid_t user, gid_t group) {
  if (::lchown(path.c_str(), user, group) != 0) throw std::runtime_error("chown " + path.string());
}

// With all that is below.
inline void give_tree_to(const std::filesystem::path& path, uid_t user, gid_t group) {
  give_to(path, user, group);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    give_to(entry.path(), user, group);
}

inline struct stat own_status_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) throw std::runtime_error("lstat " + path.string());
  return status;
}

}  // namespace tsmfs::test
