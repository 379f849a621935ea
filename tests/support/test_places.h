// Places for repositories of which a test can have calls fail.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include "index/repository/repository_place.h"
#include "index/storage/directory_storage.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/memory_storage.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::test {

// Faults that never come.
inline std::shared_ptr<Faults> no_faults() {
  return std::make_shared<Faults>(0, When::kBefore);
}

// A repository of a directory, calls of whose storage fail as `faults` says.
inline index::RepositoryLocation faulty_directory(const std::filesystem::path& root,
                                                  std::shared_ptr<Faults> faults) {
  return {root.string(), [root, faults] {
            return index::RepositoryPlace{
                std::make_unique<FaultyStorage>(std::make_shared<index::DirectoryStorage>(root),
                                                faults),
                index::LocalState(root)};
          }};
}

// Objects in memory, local state in a directory of its own. Requires: it outlives its locations.
class MemoryPlace {
 public:
  MemoryPlace() : storage_(std::make_shared<MemoryStorage>()) {}
  // Another one like `other`, which nobody has open for writing.
  MemoryPlace(const MemoryPlace& other)
      : storage_(std::make_shared<MemoryStorage>(other.storage_->objects())) {
    if (std::filesystem::exists(other.local()))
      std::filesystem::copy(other.local(), local(), std::filesystem::copy_options::recursive);
  }
  MemoryPlace& operator=(const MemoryPlace&) = delete;

  std::filesystem::path local() const { return dir_ / "local"; }
  MemoryStorage& storage() { return *storage_; }
  index::RepositoryLocation location(std::shared_ptr<Faults> faults = no_faults()) const {
    return {storage_->location(), [storage = storage_, local = local(), faults] {
              return index::RepositoryPlace{std::make_unique<FaultyStorage>(storage, faults),
                                            index::LocalState(local)};
            }};
  }

 private:
  TempDir dir_;
  std::shared_ptr<MemoryStorage> storage_;
};

}  // namespace tsmfs::test
