// How a repository comes to be. Its config is written last: until that is there, whatever a
// creation that was cut short has left is completed by the next one.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/format/object_keys.h"
#include "index/repository/repository.h"
#include "index/storage/directory_storage.h"

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

// The directories that a repository has from the beginning.
std::vector<stdfs::path> skeleton(const LocalState& local) {
  std::vector<stdfs::path> parts;
  for (const stdfs::path& part : DirectoryStorage::folders(local.root())) parts.push_back(part);
  for (const stdfs::path& part : local.skeleton()) parts.push_back(part);
  return parts;
}

// What a creation makes before the lookup: by it the directory is known as one of ours.
bool has_lock_of_ours(const LocalState& local) {
  for (const auto& part : skeleton(local))
    if (!directory_exists(part)) return false;
  if (!is_plain_file(DirectoryStorage::lock_file(local.root()))) return false;
  const std::string holder =
      read_whole_file(DirectoryStorage::lock_file(local.root()), kLockBytesMax);
  return holder.empty() || holder.starts_with("tsmfs ");
}

// Nothing but what a creation that was cut short leaves. What stays when a repository has lost its
// config and all that it held is taken for that as well.
bool is_bare_skeleton(const LocalState& local) {
  const auto parts = skeleton(local);
  for (const std::string& name : list_directory(local.root())) {
    const stdfs::path path = local.root() / name;
    if (!directory_exists(path)) return false;
    if (path == local.index()) {
      if (!has_lock_of_ours(local) || !holds_only(path, is_name_of_rocksdb)) return false;
    } else if (path == local.seen()) {
      if (!has_lock_of_ours(local) || !holds_only(path, [](auto&&) { return true; })) return false;
    } else if (path == local.tmp()) {
      if (!holds_only_file(path, local.tmp() / kConfigKey)) return false;
    } else if (path == local.locks()) {
      if (!holds_only_file(path, DirectoryStorage::lock_file(local.root()))) return false;
    } else if (std::ranges::count(parts, path) == 0 || holds_something(path)) {
      return false;
    }
  }
  return true;
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

bool Repository::is_vacant(const stdfs::path& root) {
  if (!path_exists(root)) return true;
  return directory_exists(root) && is_bare_skeleton(LocalState(root));
}

bool Repository::create(const OpenOptions& options) {
  const stdfs::path& root = options.location;
  DirectoryStorage storage(root);
  const LocalState local(root);
  if (!is_vacant(root))
    throw UsageError(
        fmt::format("{} is neither a tsmfs repository nor an empty directory", root.string()),
        "name an empty or a new directory; nothing was changed");
  make_durable_directory(absolute_path(root / ".").parent_path(), 0700);
  set_mode(root, 0700);
  for (const auto& part : skeleton(local)) make_directory(part);
  const auto lock = storage.lock(options.lock);
  if (storage.has(kConfigKey)) return false;
  remove_tree(local.index());
  remove_tree(local.seen());  // of a repository that had another secret
  Lookup::open_primary(local.index(), /*create=*/true);
  storage.put(kConfigKey,
              as_bytes(encode_config(new_config())));  // and with it the names beside it
  return true;
}

}  // namespace tsmfs::index
