// Values by key, in the order of their last use: what a bounded cache keeps, and what it lets go.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace tsmfs {

// Not thread safe.
template <typename Key, typename Value, typename Hash>
class RecentlyUsed {
 public:
  // Null when it is not there; else it is the one used last from now on. Valid until it is taken
  // out.
  const Value* find(const Key& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    values_.splice(values_.begin(), values_, found->second);
    return &found->second->second;
  }
  // As the one used last; what is there under the key stays instead.
  void add(const Key& key, Value value) {
    if (places_.contains(key)) return;
    values_.emplace_front(key, std::move(value));
    places_.emplace(key, values_.begin());
  }
  // Takes out the one that was not used for longest. Requires: there is one.
  Value take_oldest() {
    places_.erase(values_.back().first);
    Value value = std::move(values_.back().second);
    values_.pop_back();
    return value;
  }
  size_t size() const { return values_.size(); }

 private:
  std::list<std::pair<Key, Value>> values_;  // the one used last first
  std::unordered_map<Key, typename std::list<std::pair<Key, Value>>::iterator, Hash> places_;
};

}  // namespace tsmfs
