// Which processes have something of a directory in use, as far as the caller may know.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace tsmfs {

struct DirectoryUser {
  std::string name;  // of the program, as the kernel keeps it: at most 15 bytes
  pid_t process = 0;
};

// What counts as using a directory.
enum class DirectoryUse {
  kFiles,     // a file at or below it is open or mapped
  kAnything,  // that, or it is a process's working directory or root
};

// Processes that the caller may not look into are left out. Touches nothing inside the directory.
// Requires: `directory` is absolute and without links.
std::vector<DirectoryUser> find_directory_users(const std::filesystem::path& directory,
                                                DirectoryUse use);

// "bash (1234), cp (1240) and 3 more"; empty for none.
std::string describe_users(const std::vector<DirectoryUser>& users);

}  // namespace tsmfs
