#include "index/storage/directory_storage.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/file_time.h"
#include "index/storage/file_lock.h"
#include "index/storage/known_keys.h"

namespace tsmfs::index {

namespace stdfs = std::filesystem;

namespace {

constexpr int64_t kClockGrainNs = 1'000'000'000;  // of any file system, generously

class StoredFile : public StoredObject {
 public:
  StoredFile(Fd fd, stdfs::path path)
      : path_(std::move(path)), fd_(std::move(fd)), size_(file_size(fd_, path_)) {}
  uint64_t size() const override { return size_; }
  void read(uint64_t offset, MutableByteView out) const override {
    pread_exactly(fd_, offset, out, path_);
  }

 private:
  stdfs::path path_;
  Fd fd_;
  uint64_t size_;
};

class NewStoredFile : public NewObject {
 public:
  NewStoredFile(stdfs::path temporary, stdfs::path target)
      : file_(std::move(temporary), std::move(target)) {}
  void write(ByteView bytes) override { file_.write(bytes); }
  void publish() override { file_.publish_new(); }

 private:
  AtomicFile file_;
};

}  // namespace

std::unique_ptr<StoredObject> DirectoryStorage::open(const std::string& key) const {
  Fd fd = open_if_exists(path(key), O_RDONLY);
  if (!fd && link_status_if_exists(path(key)))
    throw IoError("cannot read " + path(key).string(), ENOENT);  // a link that leads nowhere
  if (!fd) return nullptr;
  return std::make_unique<StoredFile>(std::move(fd), path(key));
}

bool DirectoryStorage::has(const std::string& key) const {
  return path_exists(path(key));
}

std::vector<std::string> DirectoryStorage::list(const std::string& folder) const {
  if ((folder == kPacksFolder || folder == kSnapshotsFolder) && !path_exists(path(folder)))
    throw IoError("cannot list " + path(folder).string(), ENOENT);
  std::vector<std::string> keys;
  if (!directory_exists(path(folder))) return keys;
  const bool has_groups = folder == kPacksFolder;
  const auto key_in = [](std::string above, const std::string& name) {
    return std::move(above.append("/").append(name));
  };
  for (const std::string& name : list_directory(path(folder))) {
    std::string key = key_in(folder, name);
    if (has_groups && directory_exists(path(key)))
      for (const std::string& member : list_directory(path(key)))
        keys.push_back(key_in(key, member));
    else
      keys.push_back(std::move(key));
  }
  return keys;
}

// An inode may be used again: the time tells, once it is so old that a later one differs.
std::optional<std::string> DirectoryStorage::folder_version(const std::string& folder) const {
  const auto status = status_if_exists(path(folder));
  if (!status) return "none";
  const int64_t changed_ns = from_timespec(status->st_mtim).unix_ns;
  if (now().unix_ns - changed_ns <= kClockGrainNs) return std::nullopt;
  return fmt::format("{}-{}", status->st_ino, changed_ns);
}

stdfs::path DirectoryStorage::temporary_path(const std::string& key) const {
  std::string name = key;
  std::ranges::replace(name, '/', '-');
  return root_ / "tmp" / name;
}

// A folder that is there may be so only since a writer that was killed, or a copy, made it: the one
// above it is synced as well.
void DirectoryStorage::make_folder_of(const std::string& key) const {
  for (size_t slash = key.find('/'); slash != std::string::npos; slash = key.find('/', slash + 1)) {
    const stdfs::path folder = path(std::string_view(key).substr(0, slash));
    make_directory(folder);
    sync_directory(folder.parent_path());
  }
}

std::unique_ptr<NewObject> DirectoryStorage::create(const std::string& key) {
  make_folder_of(key);
  return std::make_unique<NewStoredFile>(temporary_path(key), path(key));
}

void DirectoryStorage::replace(const std::string& key, ByteView bytes) {
  make_folder_of(key);
  AtomicFile file(temporary_path(key), path(key));
  file.write(bytes);
  file.publish();
}

void DirectoryStorage::remove(std::span<const std::string> keys) {
  std::set<stdfs::path> folders;
  for (const std::string& key : keys) {
    remove_file(path(key));
    folders.insert(path(key).parent_path());
  }
  for (const stdfs::path& folder : folders)
    if (directory_exists(folder)) sync_directory(folder);
}

std::unique_ptr<WriterLock> DirectoryStorage::lock(const LockRequest& request) {
  return std::make_unique<FileLock>(lock_file(root_), "repository " + location(), request);
}

void DirectoryStorage::move(const std::string& from, const std::string& to) {
  make_folder_of(to);
  rename_file(path(from), path(to));
  sync_directory(path(to).parent_path());
  sync_directory(path(from).parent_path());
}

}  // namespace tsmfs::index
