#include "index/repository/repository_place.h"

#include "index/base/directory.h"
#include "index/storage/directory_storage.h"

namespace tsmfs::index {

RepositoryLocation::RepositoryLocation(const std::filesystem::path& directory)
    : text_(directory.string()), directory_(directory), open_([directory] {
        return RepositoryPlace{std::make_unique<DirectoryStorage>(directory),
                               LocalState(directory)};
      }) {}

RepositoryLocation RepositoryLocation::parse(const std::string& text) {
  return RepositoryLocation(std::filesystem::path(text));
}

RepositoryLocation RepositoryLocation::resolved() const {
  return directory_ ? RepositoryLocation(resolved_path(*directory_)) : *this;
}

}  // namespace tsmfs::index
