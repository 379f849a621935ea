#include "index/pack_store.h"

#include <system_error>

#include "index/base/error.h"

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
  std::error_code error;
  std::filesystem::recursive_directory_iterator it(paths_.packs(), error);
  for (; !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool is_id = name.size() == 2 * kIdBytes &&
                       name.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (is_id) visit(PackId::from_hex(name));
  }
  if (error) throw IoError("cannot list " + paths_.packs().string(), error.value());
}

}  // namespace tsmfs::index
