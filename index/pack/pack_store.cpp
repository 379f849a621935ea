#include "index/pack/pack_store.h"

#include "index/base/directory.h"

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
  return std::make_shared<const PackReader>(paths_.pack(id), id, repository_);
}

void PackStore::for_each_id(const std::function<void(const PackId&)>& visit) const {
  for (const std::string& group : list_directory(paths_.packs())) {
    const std::filesystem::path directory = paths_.packs() / group;
    if (!directory_exists(directory)) continue;
    for (const std::string& name : list_directory(directory)) {
      const bool is_id = name.size() == 2 * kIdBytes &&
                         name.find_first_not_of("0123456789abcdef") == std::string::npos;
      if (is_id) visit(PackId::from_hex(name));
    }
  }
}

}  // namespace tsmfs::index
