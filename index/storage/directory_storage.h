// A repository's objects as files of a directory: an object's key is its path there.
#pragma once

#include <array>
#include <filesystem>

#include "index/storage/storage.h"

namespace tsmfs::index {

// The folders of packs and of manifests are there from the beginning: one that is gone is not
// empty. Packs lie in groups, one folder each; whatever else is in the way of a file is listed as
// one, and fails when it is opened. New files are written under `tmp/` and renamed when they are
// whole. Links are followed: packs may lie on another disk.
class DirectoryStorage : public Storage {
 public:
  explicit DirectoryStorage(std::filesystem::path root) : root_(std::move(root)) {}

  std::string location() const override { return root_.string(); }
  std::string location(std::string_view key) const override { return path(key).string(); }
  // The local state of such a repository lies in the same directory (local_state.h).
  bool is_vacant() const override;
  void make() override;
  // A copy by way of git lacks the folders that are empty.
  void complete() override;
  std::unique_ptr<StoredObject> open(const std::string& key) const override;
  bool has(const std::string& key) const override;
  std::vector<std::string> list(const std::string& folder) const override;
  std::optional<std::string> folder_version(const std::string& folder) const override;
  std::unique_ptr<NewObject> create(const std::string& key) override;
  void replace(const std::string& key, ByteView bytes) override;
  void remove(std::span<const std::string> keys) override;
  void move(const std::string& from, const std::string& to) override;
  std::unique_ptr<WriterLock> lock(const LockRequest& request) override;
  static std::filesystem::path lock_file(const std::filesystem::path& root) {
    return root / "locks" / "writer";
  }

 private:
  // Those that are there from the beginning.
  std::array<std::filesystem::path, 4> folders() const;
  bool has_lock_of_ours() const;
  bool is_bare_skeleton() const;
  std::filesystem::path path(std::string_view key) const { return root_ / key; }
  std::filesystem::path temporary_path(const std::string& key) const;
  void make_folder_of(const std::string& key) const;

  std::filesystem::path root_;
};

}  // namespace tsmfs::index
