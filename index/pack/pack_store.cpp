#include "index/pack/pack_store.h"

#include "index/format/object_keys.h"

namespace tsmfs::index {

std::shared_ptr<const PackReader> PackStore::open(const PackId& id) {
  {
    MutexLock lock(mutex_);
    if (const auto* pack = open_.find(id)) return *pack;
  }
  auto pack = open_anew(id);
  MutexLock lock(mutex_);
  if (const auto* other = open_.find(id)) return *other;  // another thread was faster
  open_.add(id, pack);
  if (open_.size() > kOpenPacksMax) open_.take_oldest();
  return pack;
}

std::shared_ptr<const PackReader> PackStore::open_anew(const PackId& id) const {
  return std::make_shared<const PackReader>(storage_, id, repository_);
}

void PackStore::for_each_id(const std::function<void(const PackId&)>& visit) const {
  for (const std::string& key : storage_.list(kPacksFolder))
    if (const auto id = pack_of_key(key); id && key == pack_key(*id)) visit(*id);
}

}  // namespace tsmfs::index
