#include "index/pack/pack_store.h"

#include "index/format/object_keys.h"

namespace tsmfs::index {

std::shared_ptr<const PackReader> PackStore::open(const PackId& id) {
  {
    MutexLock lock(mutex_);
    const auto found = open_.find(id);
    if (found != open_.end()) {
      uses_.splice(uses_.begin(), uses_, found->second.use);
      return found->second.pack;
    }
  }
  auto pack = open_anew(id);
  MutexLock lock(mutex_);
  const auto found = open_.find(id);
  if (found != open_.end()) return found->second.pack;  // another thread was faster
  uses_.push_front(id);
  open_.emplace(id, Entry{pack, uses_.begin()});
  if (uses_.size() > kOpenPacksMax) {
    open_.erase(uses_.back());
    uses_.pop_back();
  }
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
