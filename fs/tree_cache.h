// Decoded tree nodes, a bounded number of bytes of them; the least recently used go first.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "index/base/bytes.h"
#include "index/base/mutex.h"
#include "index/base/recently_used.h"
#include "index/format/digest.h"
#include "snapshot/model/tree.h"

namespace tsmfs::fs {

using TreePtr = std::shared_ptr<const snapshot::Tree>;

// Thread safe. A node given out lives as long as its holder wants.
class TreeCache {
 public:
  static constexpr size_t kBytesMaxDefault = size_t{16} << 20;
  // Gives the encoded node, or throws. Called from any thread, by several at once.
  using Loader = std::function<ByteBuffer(const index::TreeId&)>;

  explicit TreeCache(Loader load, size_t bytes_max = kBytesMaxDefault);
  // Throws: what the loader throws; CorruptError when the node does not decode. A failure is not
  // kept.
  TreePtr get(const index::TreeId& id);
  // What the kept nodes take in memory, about. Never over `bytes_max`.
  size_t bytes() const;

 private:
  struct Entry {
    TreePtr tree;
    size_t bytes = 0;
  };
  TreePtr find(const index::TreeId& id);
  void insert(const index::TreeId& id, const TreePtr& tree);

  Loader load_;
  size_t bytes_max_;
  mutable Mutex mutex_;
  RecentlyUsed<index::TreeId, Entry, index::IdHash> trees_ TSMFS_GUARDED_BY(mutex_);
  size_t bytes_ TSMFS_GUARDED_BY(mutex_) = 0;
};

}  // namespace tsmfs::fs
