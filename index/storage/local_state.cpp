#include "index/storage/local_state.h"

#include "index/base/directory.h"
#include "index/base/file.h"

namespace tsmfs::index {

void LocalState::make() const {
  if (!path_exists(root_)) {
    if (root_.has_parent_path()) make_directories(root_.parent_path());
    make_directory(root_);
  }
  make_directory(tmp());
}

}  // namespace tsmfs::index
