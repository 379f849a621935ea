// Where the objects and the local state of a repository in a directory lie, for tests that damage
// them.
#pragma once

#include <filesystem>
#include <string_view>

#include "index/format/digest.h"

namespace tsmfs::test {

class RepositoryPaths {
 public:
  explicit RepositoryPaths(std::filesystem::path root) : root_(std::move(root)) {}
  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config() const { return root_ / "config"; }
  std::filesystem::path packs() const { return root_ / "packs"; }
  std::filesystem::path pack_directory(const index::PackId& id) const {
    return packs() / id.hex().substr(0, 2);
  }
  std::filesystem::path pack(const index::PackId& id) const {
    return pack_directory(id) / id.hex();
  }
  std::filesystem::path snapshots() const { return root_ / "snapshots"; }
  std::filesystem::path snapshot(const index::SnapshotId& id) const {
    return snapshots() / id.hex();
  }
  std::filesystem::path index() const { return root_ / "index"; }
  std::filesystem::path new_index() const { return root_ / "index.new"; }
  std::filesystem::path locks() const { return root_ / "locks"; }
  std::filesystem::path writer_lock() const { return locks() / "writer"; }
  std::filesystem::path seen() const { return root_ / "seen"; }
  std::filesystem::path quarantine() const { return root_ / "quarantine"; }
  std::filesystem::path quarantined_packs() const { return quarantine() / "packs"; }
  std::filesystem::path quarantined_pack(const index::PackId& id) const {
    return quarantined_packs() / id.hex();
  }
  std::filesystem::path quarantined_snapshots() const { return quarantine() / "snapshots"; }
  std::filesystem::path tmp() const { return root_ / "tmp"; }

 private:
  std::filesystem::path root_;
};

}  // namespace tsmfs::test
