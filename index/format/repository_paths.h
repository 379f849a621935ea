// Every on-disk name of a repository, in one place.
#pragma once

#include <array>
#include <filesystem>
#include <string_view>

#include "index/format/digest.h"

namespace tsmfs::index {

class RepositoryPaths {
 public:
  explicit RepositoryPaths(std::filesystem::path root) : root_(std::move(root)) {}
  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config() const { return root_ / "config"; }
  std::filesystem::path packs() const { return root_ / "packs"; }
  std::filesystem::path pack_directory(const PackId& id) const {
    return packs() / id.hex().substr(0, 2);
  }
  std::filesystem::path pack(const PackId& id) const { return pack_directory(id) / id.hex(); }
  std::filesystem::path snapshots() const { return root_ / "snapshots"; }
  std::filesystem::path snapshot(const SnapshotId& id) const { return snapshots() / id.hex(); }
  // The highest number that a forgotten snapshot had; absent before one was forgotten.
  std::filesystem::path last_number() const { return root_ / "last-number"; }
  std::filesystem::path index() const { return root_ / "index"; }
  // A lookup under construction, renamed to index() when it is complete.
  std::filesystem::path new_index() const { return root_ / "index.new"; }
  std::filesystem::path locks() const { return root_ / "locks"; }
  std::filesystem::path writer_lock() const { return locks() / "writer"; }
  // By server: what its last import saw of the files it read (snapshot/intake/seen_files.h).
  std::filesystem::path seen() const { return root_ / "seen"; }
  // What repair took out of the way.
  std::filesystem::path quarantine() const { return root_ / "quarantine"; }
  std::filesystem::path quarantined_packs() const { return quarantine() / "packs"; }
  std::filesystem::path quarantined_pack(const PackId& id) const {
    return quarantined_packs() / id.hex();
  }
  std::filesystem::path quarantined_snapshots() const { return quarantine() / "snapshots"; }
  // Files that have no name yet: open packs, manifests being written, spools. Emptied by the next
  // writer.
  std::filesystem::path tmp() const { return root_ / "tmp"; }
  // The config of a repository that is being made.
  std::filesystem::path new_config() const { return tmp() / "config"; }
  // The directories that a repository has from the beginning.
  std::array<std::filesystem::path, 4> skeleton() const {
    return {packs(), snapshots(), locks(), tmp()};
  }

 private:
  std::filesystem::path root_;
};

}  // namespace tsmfs::index
