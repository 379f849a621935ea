// How a repository in a directory comes to be. Its config is put last: until that is there,
// whatever a creation that was cut short has left is completed by the next one.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/storage/directory_storage.h"
#include "index/storage/known_keys.h"
#include "index/storage/local_state.h"

namespace tsmfs::index {

namespace stdfs = std::filesystem;

namespace {

constexpr uint64_t kLockBytesMax = 4096;

bool is_plain_file(const stdfs::path& path) {
  const auto status = link_status_if_exists(path);
  return status && S_ISREG(status->st_mode);
}

// Whether nothing is in the directory but plain files that `is_ours` knows by name.
template <typename IsOurs>
bool holds_only(const stdfs::path& directory, const IsOurs& is_ours) {
  for (const std::string& name : list_directory(directory))
    if (!is_plain_file(directory / name) || !is_ours(name)) return false;
  return true;
}

bool holds_only_file(const stdfs::path& directory, const stdfs::path& file) {
  return holds_only(directory, [&](const std::string& name) { return name == file.filename(); });
}

bool is_name_of_rocksdb(std::string_view name) {
  constexpr std::array<std::string_view, 4> kWhole = {"CURRENT", "IDENTITY", "LOCK", "LOG"};
  constexpr std::array<std::string_view, 3> kBeginnings = {"MANIFEST-", "OPTIONS-", "LOG.old."};
  constexpr std::array<std::string_view, 3> kEndings = {".log", ".sst", ".dbtmp"};
  return std::ranges::count(kWhole, name) > 0 ||
         std::ranges::any_of(kBeginnings, [&](auto part) { return name.starts_with(part); }) ||
         std::ranges::any_of(kEndings, [&](auto part) { return name.ends_with(part); });
}

// Durable in the directory above it, if that may be read: no other can be synced.
void make_durable_directory(const stdfs::path& directory, unsigned mode) {
  const stdfs::path above = directory.parent_path();
  if (!path_exists(above)) make_durable_directory(above, 0777);
  make_directory(directory, mode);
  try {
    sync_directory(above);
  } catch (const IoError& error) {
    if (error.error_number() != EACCES) throw;
  }
}

}  // namespace

std::array<stdfs::path, 4> DirectoryStorage::folders() const {
  return {path(kPacksFolder), path(kSnapshotsFolder), lock_file(root_).parent_path(),
          temporary_path(kConfigKey).parent_path()};
}

// What a creation makes before the lookup: by it the directory is known as one of ours.
bool DirectoryStorage::has_lock_of_ours() const {
  for (const auto& folder : folders())
    if (!directory_exists(folder)) return false;
  if (!is_plain_file(lock_file(root_))) return false;
  const std::string holder = read_whole_file(lock_file(root_), kLockBytesMax);
  return holder.empty() || holder.starts_with("tsmfs ");
}

// Nothing but what a creation that was cut short leaves. What stays when a repository has lost its
// config and all that it held is taken for that as well.
bool DirectoryStorage::is_bare_skeleton() const {
  const LocalState local(root_);
  const stdfs::path config = temporary_path(kConfigKey);
  const auto parts = folders();
  for (const std::string& name : list_directory(root_)) {
    const stdfs::path path = root_ / name;
    if (!directory_exists(path)) return false;
    if (path == local.lookup()) {
      if (!has_lock_of_ours() || !holds_only(path, is_name_of_rocksdb)) return false;
    } else if (path == local.seen()) {
      if (!has_lock_of_ours() || !holds_only(path, [](auto&&) { return true; })) return false;
    } else if (path == config.parent_path()) {
      if (!holds_only_file(path, config)) return false;
    } else if (path == lock_file(root_).parent_path()) {
      if (!holds_only_file(path, lock_file(root_))) return false;
    } else if (std::ranges::count(parts, path) == 0 || holds_something(path)) {
      return false;
    }
  }
  return true;
}

bool DirectoryStorage::is_vacant() const {
  if (!path_exists(root_)) return true;
  return directory_exists(root_) && is_bare_skeleton();
}

void DirectoryStorage::make() {
  if (!is_vacant())
    throw UsageError(
        fmt::format("{} is neither a tsmfs repository nor an empty directory", root_.string()),
        "name an empty or a new directory; nothing was changed");
  make_durable_directory(absolute_path(root_ / ".").parent_path(), 0700);
  set_mode(root_, 0700);
  for (const auto& folder : folders()) make_directory(folder);
}

void DirectoryStorage::complete() {
  for (const auto& folder : folders()) make_directory(folder);
  sync_directory(root_);
}

}  // namespace tsmfs::index
