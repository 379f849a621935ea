// Where the objects and the local state of a repository in a directory lie, for tests that damage
// them.
#pragma once

#include <filesystem>

#include "index/format/digest.h"
#include "index/format/object_keys.h"
#include "index/storage/directory_storage.h"
#include "index/storage/local_state.h"

namespace tsmfs::test {

class RepositoryPaths : public index::LocalState {
 public:
  using LocalState::LocalState;
  std::filesystem::path locks() const { return writer_lock().parent_path(); }
  std::filesystem::path writer_lock() const { return index::DirectoryStorage::lock_file(root()); }
  std::filesystem::path config() const { return root() / index::kConfigKey; }
  std::filesystem::path packs() const { return root() / index::kPacksFolder; }
  std::filesystem::path pack(const index::PackId& id) const { return root() / index::pack_key(id); }
  std::filesystem::path pack_directory(const index::PackId& id) const {
    return pack(id).parent_path();
  }
  std::filesystem::path snapshots() const { return root() / index::kSnapshotsFolder; }
  std::filesystem::path snapshot(const index::SnapshotId& id) const {
    return root() / index::snapshot_key(id);
  }
  std::filesystem::path quarantined_packs() const {
    return root() / index::kQuarantinedPacksFolder;
  }
  std::filesystem::path quarantined_pack(const index::PackId& id) const {
    return root() / index::quarantined_pack_key(id);
  }
  std::filesystem::path quarantined_snapshots() const {
    return root() / index::kQuarantinedSnapshotsFolder;
  }
  std::filesystem::path quarantine() const { return quarantined_packs().parent_path(); }
};

}  // namespace tsmfs::test
