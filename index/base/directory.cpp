#include "index/base/directory.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>
#include <system_error>

#include "index/base/error.h"

namespace tsmfs {

namespace fs = std::filesystem;

namespace {

using Stat = int (*)(const char*, struct stat*);

std::optional<struct stat> status_by(Stat stat, const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return status;
  if (!is_absence(errno)) throw_errno("cannot look at " + path.string());
  return std::nullopt;
}

[[noreturn]] void fail(const std::string& what, const fs::path& path,
                       const std::error_code& error) {
  throw IoError(what + " " + path.string(), error.value());
}

// Of what `figure` gives of each regular file.
uint64_t sum_below(const fs::path& directory, const auto& figure) {
  uint64_t sum = 0;
  for (const std::string& name : list_directory(directory)) {
    const auto status = link_status_if_exists(directory / name);
    if (!status) continue;
    if (S_ISDIR(status->st_mode)) sum += sum_below(directory / name, figure);
    if (S_ISREG(status->st_mode)) sum += static_cast<uint64_t>(figure(*status));
  }
  return sum;
}

}  // namespace

bool is_absence(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR;
}

// The second line is how file systems and disks tell of checksums and sectors that are bad.
bool is_damage(int error_number) {
  return error_number == EIO || error_number == ENOENT || error_number == EISDIR ||
         error_number == EUCLEAN || error_number == EBADMSG || error_number == ENODATA;
}

bool may_come_back(int error_number) {
  return error_number != ENOENT && error_number != EISDIR;
}

std::optional<struct stat> status_if_exists(const fs::path& path) {
  return status_by(::stat, path);
}

std::optional<struct stat> link_status_if_exists(const fs::path& path) {
  return status_by(::lstat, path);
}

struct stat status_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno("cannot look at " + path.string());
  return status;
}

bool path_exists(const fs::path& path) {
  return status_if_exists(path).has_value();
}

bool directory_exists(const fs::path& path) {
  const auto status = status_if_exists(path);
  return status && S_ISDIR(status->st_mode);
}

bool holds_something(const fs::path& path) {
  const auto status = status_if_exists(path);
  if (!status) return false;
  return !S_ISDIR(status->st_mode) || !list_directory(path).empty();
}

std::vector<std::string> list_directory(const fs::path& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  if (!directory) throw_errno("cannot list " + path.string());
  std::vector<std::string> names;
  for (;;) {
    errno = 0;  // readdir() says by it alone whether it failed or came to the end
    // NOLINTNEXTLINE(concurrency-mt-unsafe): of a DIR that nobody else has
    const dirent* const entry = ::readdir(directory.get());
    if (entry == nullptr && errno != 0) throw_errno("cannot list " + path.string());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

uint64_t bytes_below(const fs::path& directory) {
  return sum_below(directory, [](const struct stat& file) { return file.st_size; });
}

uint64_t disk_bytes_below(const fs::path& directory) {
  constexpr int kBlockBytes = 512;  // of stat(2), whatever the file system's
  return sum_below(directory, [](const struct stat& file) { return file.st_blocks * kBlockBytes; });
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail("cannot create", path, error);
}

void set_mode(const fs::path& path, unsigned mode) {
  if (::chmod(path.c_str(), mode) != 0) throw_errno("cannot set the mode of " + path.string());
}

void remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && !is_absence(errno))
    throw_errno("cannot remove " + path.string());
}

void remove_directory(const fs::path& path) {
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) throw_errno("cannot remove " + path.string());
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error && !is_absence(error.value())) fail("cannot remove", path, error);
}

void try_remove_tree(const fs::path& path) noexcept {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

fs::path absolute_path(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (error) fail("cannot find the working directory for", path, error);
  return absolute;
}

std::optional<fs::path> resolve_if_exists(const fs::path& path) {
  std::error_code error;
  fs::path resolved = fs::canonical(path, error);
  if (!error) return resolved;
  if (!is_absence(error.value())) fail("cannot follow", path, error);
  return std::nullopt;
}

fs::path resolved_path(const fs::path& path) {
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(path, error);
  if (error) fail("cannot follow", path, error);
  return resolved;
}

fs::path temporary_directory() {
  std::error_code error;
  fs::path directory = fs::temp_directory_path(error);
  if (error) fail("cannot use TMPDIR, or", "/tmp", error);
  return directory;
}

}  // namespace tsmfs
