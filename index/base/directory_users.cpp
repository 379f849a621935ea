#include "index/base/directory_users.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <system_error>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/is_within.h"
#include "index/base/parse_number.h"
#include "index/base/some_of.h"

namespace tsmfs {

namespace {

namespace stdfs = std::filesystem;

constexpr size_t kUsersNamedMax = 4;

bool leads_into(const stdfs::path& link, const std::string& directory) {
  std::error_code error;
  const std::string target = stdfs::read_symlink(link, error).native();
  return !error && is_within(target, directory);
}

// Nothing of a process that has ended, or that this user may not look at.
bool has_a_file_open(const stdfs::path& process, const std::string& directory) {
  const stdfs::path descriptors = process / "fd";
  try {
    return std::ranges::any_of(list_directory(descriptors), [&](const std::string& name) {
      return leads_into(descriptors / name, directory);
    });
  } catch (const IoError& error) {
    const int number = error.error_number();
    if (is_absence(number) || number == ESRCH || number == EACCES || number == EPERM) return false;
    throw;
  }
}

// A mapped file stays in use when its descriptor is closed, as influxd's do.
bool maps_a_file(const stdfs::path& process, const std::string& directory) {
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t path = line.find('/');
    if (path != std::string::npos && is_within(std::string_view(line).substr(path), directory))
      return true;
  }
  return false;
}

bool uses(const stdfs::path& process, const std::string& directory, DirectoryUse use) {
  if (use == DirectoryUse::kAnything &&
      (leads_into(process / "cwd", directory) || leads_into(process / "root", directory)))
    return true;
  return has_a_file_open(process, directory) || maps_a_file(process, directory);
}

}  // namespace

std::vector<DirectoryUser> find_directory_users(const stdfs::path& directory, DirectoryUse use) {
  std::vector<DirectoryUser> users;
  const stdfs::path processes = "/proc";
  if (!path_exists(processes)) return users;
  for (const std::string& id : list_directory(processes)) {
    const auto number = parse_number<pid_t>(id);
    if (!number || !uses(processes / id, directory.native(), use)) continue;
    DirectoryUser user{{}, *number};
    std::ifstream comm(processes / id / "comm");
    std::getline(comm, user.name);
    users.push_back(std::move(user));
  }
  return users;
}

std::string describe_users(const std::vector<DirectoryUser>& users) {
  std::vector<std::string> named;
  named.reserve(users.size());
  for (const DirectoryUser& user : users)
    named.push_back(fmt::format("{} ({})", user.name, user.process));
  return some_of(named, kUsersNamedMax);
}

}  // namespace tsmfs
