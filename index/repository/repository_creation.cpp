// How a repository comes to be. Its config is put last: until that is there, whatever a creation
// that was cut short has left is completed by the next one.
#include "index/base/directory.h"
#include "index/format/object_keys.h"
#include "index/repository/repository.h"

namespace tsmfs::index {

bool Repository::is_vacant(const RepositoryLocation& location) {
  return location.open().storage->is_vacant();
}

bool Repository::create(const OpenOptions& options) {
  const auto [storage, local] = options.location.open();
  storage->make();
  const auto lock = storage->lock(options.lock);
  if (storage->has(kConfigKey)) return false;
  local.make();
  remove_tree(local.lookup());
  remove_tree(local.seen());  // of a repository that had another secret
  Lookup::open_primary(local.lookup(), /*create=*/true);
  storage->put(kConfigKey,
               as_bytes(encode_config(new_config())));  // and with it the names beside it
  return true;
}

}  // namespace tsmfs::index
