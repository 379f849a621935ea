#include "fs/mount_users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace tsmfs::fs {
namespace {

namespace stdfs = std::filesystem;

constexpr size_t kUsersNamedMax = 4;

bool leads_into(const stdfs::path& link, const std::string& mountpoint) {
  std::error_code error;
  const std::string target = stdfs::read_symlink(link, error).native();
  return !error && target.starts_with(mountpoint) &&
         (target.size() == mountpoint.size() || target[mountpoint.size()] == '/');
}

// By working directory, root, or an open file. Processes that the caller may not look into are left
// out.
bool uses(const stdfs::path& process, const std::string& mountpoint) {
  if (leads_into(process / "cwd", mountpoint) || leads_into(process / "root", mountpoint))
    return true;
  std::error_code error;
  for (stdfs::directory_iterator fd(process / "fd", error), end; !error && fd != end;
       fd.increment(error)) {
    if (leads_into(fd->path(), mountpoint)) return true;
  }
  return false;
}

std::string name_of(const stdfs::path& process) {
  std::string name;
  std::ifstream comm(process / "comm");
  std::getline(comm, name);
  return fmt::format("{} ({})", name, process.filename().string());
}

}  // namespace

std::string describe_users(const stdfs::path& mountpoint) {
  std::vector<std::string> users;
  size_t count = 0;
  std::error_code error;
  for (stdfs::directory_iterator process("/proc", error), end; !error && process != end;
       process.increment(error)) {
    const std::string pid = process->path().filename();
    if (!std::ranges::all_of(pid, [](char c) { return c >= '0' && c <= '9'; })) continue;
    if (!uses(process->path(), mountpoint)) continue;
    if (++count <= kUsersNamedMax) users.push_back(name_of(process->path()));
  }
  if (count == 0) return {};
  const std::string more =
      count > kUsersNamedMax ? fmt::format(" and {} more", count - kUsersNamedMax) : "";
  return fmt::format(" by {}{}", fmt::join(users, ", "), more);
}

}  // namespace tsmfs::fs
