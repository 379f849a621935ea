// The packs of a repository, opened as they are needed; a bounded number of them stays open.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "index/base/mutex.h"
#include "index/base/recently_used.h"
#include "index/pack/pack_reader.h"
#include "index/storage/storage.h"

namespace tsmfs::index {

// Thread safe. Requires: `storage` outlives it.
class PackStore {
 public:
  static constexpr size_t kOpenPacksMax = 256;

  PackStore(const Storage& storage, const RepositoryId& repository)
      : storage_(storage), repository_(repository) {}
  // Throws: IoError; MissingError when there is no such pack, CorruptError.
  std::shared_ptr<const PackReader> open(const PackId& id);
  // As open(), but opens the object anew and does not keep it.
  std::shared_ptr<const PackReader> open_anew(const PackId& id) const;
  // Visits the id of each pack. Throws: IoError.
  void for_each_id(const std::function<void(const PackId&)>& visit) const;

 private:
  const Storage& storage_;
  RepositoryId repository_;
  Mutex mutex_;
  RecentlyUsed<PackId, std::shared_ptr<const PackReader>, IdHash> open_ TSMFS_GUARDED_BY(mutex_);
};

}  // namespace tsmfs::index
