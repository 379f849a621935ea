#include "index/repository/open_or_create.h"

namespace tsmfs::index {

std::unique_ptr<Repository> open_or_create(const OpenOptions& options,
                                           const std::function<void()>& on_created) {
  if (Repository::is_vacant(options.location) && Repository::create(options)) on_created();
  return Repository::open_writer(options);
}

}  // namespace tsmfs::index
