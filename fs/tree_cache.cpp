#include "fs/tree_cache.h"

#include <utility>

namespace tsmfs::fs {
namespace {

// A list node, a hash node and a shared pointer beside the tree itself.
constexpr size_t kEntryOverheadBytes = 192;

size_t memory_bytes(const snapshot::Tree& tree) {
  size_t bytes = kEntryOverheadBytes + tree.first_ordinals().size() * sizeof(uint64_t);
  for (const snapshot::TreeEntry& entry : tree.entries()) {
    bytes += sizeof entry;
    if (entry.name.text().capacity() >= sizeof(std::string) / 2)
      bytes += entry.name.text().capacity() + 1;
  }
  return bytes;
}

}  // namespace

TreeCache::TreeCache(Loader load, size_t bytes_max)
    : load_(std::move(load)), bytes_max_(bytes_max) {}

TreePtr TreeCache::get(const index::TreeId& id) {
  if (TreePtr tree = find(id)) return tree;
  // Outside the lock: two threads may decode the same node at once, which costs less than making
  // all others wait.
  const ByteBuffer encoded = load_(id);
  auto tree =
      std::make_shared<const snapshot::Tree>(snapshot::Tree::decode(encoded, "tree " + id.hex()));
  insert(id, tree);
  return tree;
}

size_t TreeCache::bytes() const {
  MutexLock lock(mutex_);
  return bytes_;
}

TreePtr TreeCache::find(const index::TreeId& id) {
  MutexLock lock(mutex_);
  const Entry* found = trees_.find(id);
  return found ? found->tree : nullptr;
}

void TreeCache::insert(const index::TreeId& id, const TreePtr& tree) {
  const size_t bytes = memory_bytes(*tree);
  if (bytes > bytes_max_) return;  // it would push out all others
  MutexLock lock(mutex_);
  if (trees_.find(id)) return;
  while (bytes_ + bytes > bytes_max_) bytes_ -= trees_.take_oldest().bytes;
  trees_.add(id, {tree, bytes});
  bytes_ += bytes;
}

}  // namespace tsmfs::fs
