// The snapshots of a repository in a directory, without opening it.
#pragma once

#include <filesystem>
#include <memory>

#include "index/storage/directory_storage.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::test {

inline std::shared_ptr<const snapshot::CatalogState> snapshots_in(
    const std::filesystem::path& root) {
  index::DirectoryStorage storage(root);
  return snapshot::Catalog(storage).refresh();
}

}  // namespace tsmfs::test
