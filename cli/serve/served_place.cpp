#include "cli/serve/served_place.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <set>
#include <string>
#include <utility>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/log.h"
#include "index/base/quote.h"

namespace tsmfs::cli {

namespace {

namespace stdfs = std::filesystem;

constexpr const char* kPrefix = "tsmfs-served-";
constexpr const char* kLockFile = "lock";
constexpr const char* kLayers = "layers";
constexpr const char* kWorkEnding = ".work";   // of a layer's other directory, the overlay's own
constexpr const char* kServedFile = "served";  // before anything else but the lock
constexpr const char* kNewServedFile = "served.new";
constexpr unsigned kTriesMax = 10;
constexpr uint64_t kServedBytesMax = 64 << 10;

std::unique_ptr<index::FileLock> lock(const stdfs::path& directory) {
  return std::make_unique<index::FileLock>(directory / kLockFile, directory.string(),
                                           index::LockRequest("serve"));
}

// influxd looks for its files with patterns, in which these are special: it would find none of
// them, and answer as if there were no points.
void require_plain(const stdfs::path& directory) {
  if (directory.native().find_first_of("*?[\\") != std::string::npos)
    throw UsageError(fmt::format("{} has one of *, ?, [ and \\ in it, below which influxd finds no "
                                 "files",
                                 quote(directory.string())),
                     "name another directory with TMPDIR or --keep");
}

bool holds_other_than(const stdfs::path& directory, const std::set<std::string>& names) {
  return std::ranges::any_of(list_directory(directory),
                             [&](const std::string& name) { return !names.contains(name); });
}

// On a disk: what is written to a server may be much.
stdfs::path place_for_temporary() {
  const char* named = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): never changed
  return named != nullptr && *named != '\0' ? absolute_path(temporary_directory())
                                            : stdfs::path("/var/tmp");
}

// What an overlay of the kernel works in lets nobody enter, its owner neither, but root. Throws:
// IoError.
void let_owner_in(const stdfs::path& directory) {
  set_mode(directory, 0700);
  for (const std::string& name : list_directory(directory)) {
    const auto status = link_status_if_exists(directory / name);
    if (status && S_ISDIR(status->st_mode)) let_owner_in(directory / name);
  }
}

void remove_place(const stdfs::path& root) noexcept {
  try {
    const stdfs::path layers = root / kLayers;
    if (directory_exists(layers))
      for (const std::string& name : list_directory(layers))
        if (name.ends_with(kWorkEnding)) let_owner_in(layers / name);
  } catch (const std::exception&) {
    // What then cannot be removed stays, and the next one tries again.
  }
  try_remove_tree(root);
}

// One whose lock can be had has no process any more.
void remove_left_ones(const stdfs::path& directory) {
  for (const std::string& name : list_directory(directory)) {
    if (!name.starts_with(kPrefix)) continue;
    const stdfs::path left = directory / name;
    try {
      const auto status = link_status_if_exists(left);
      if (!status || !S_ISDIR(status->st_mode) || status->st_uid != ::geteuid()) continue;
      if (!path_exists(left / kLockFile)) continue;  // one that is being made
      const auto held = lock(left);
      remove_place(left);
    } catch (const Error& error) {
      log::debug("{}", error.what());
    }
  }
}

}  // namespace

ServedPlace::ServedPlace(stdfs::path root, bool kept)
    : root_(std::move(root)), kept_(kept), lock_(lock(root_)) {}

ServedPlace ServedPlace::temporary() {
  const stdfs::path above = place_for_temporary();
  require_plain(above);
  remove_left_ones(above);
  for (unsigned again = kTriesMax;;) {
    std::string name = (above / fmt::format("{}XXXXXX", kPrefix)).string();
    if (::mkdtemp(name.data()) == nullptr)
      throw_errno("cannot make a directory in " + above.string(), "TMPDIR names another place");
    try {
      return {name, false};
    } catch (const Error& error) {
      try_remove_tree(name);
      // Another process can have taken it, before it was locked, for one that was left.
      if (path_exists(name) || --again == 0) throw;
      log::debug("{}", error.what());
    }
  }
}

ServedPlace ServedPlace::kept(const stdfs::path& directory) {
  const stdfs::path root = absolute_path(directory);
  require_plain(root);
  make_directories(root);
  if (!path_exists(root / kServedFile) && holds_other_than(root, {kLockFile, kNewServedFile}))
    throw UsageError(fmt::format("{} is neither empty nor of an earlier serve", root.string()),
                     "name a new directory; nothing was changed");
  return {root, true};
}

ServedPlace::~ServedPlace() {
  if (lock_) remove();
}

void ServedPlace::remove() const noexcept {
  if (!kept_) remove_place(root_);
}

uint64_t ServedPlace::written_bytes() const {
  const stdfs::path data = layers() / "data";
  return directory_exists(data) ? disk_bytes_below(data) : 0;
}

std::string ServedPlace::served() const {
  if (!path_exists(root_ / kServedFile)) return {};
  return read_whole_file(root_ / kServedFile, kServedBytesMax);
}

void ServedPlace::note_served(const std::string& what) const {
  AtomicFile file(root_ / kNewServedFile, root_ / kServedFile);
  file.write(as_bytes(what));
  file.publish();
}

void ServedPlace::forget_served() const {
  remove_file(root_ / kServedFile);
  for (const stdfs::path& made : {history(), data(), wal(), meta()}) remove_tree(made);
}

}  // namespace tsmfs::cli
