// Decompressed frames, a bounded number of bytes of them. However many threads wait for a frame, it
// is read once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_set>

#include "index/base/buffer_pool.h"
#include "index/base/mutex.h"
#include "index/base/recently_used.h"
#include "index/pack/pack_reader.h"

namespace tsmfs::index {

using FramePtr = std::shared_ptr<const RawBuffer>;

// Thread safe. A frame given out lives as long as its holder wants, also when the cache has dropped
// it.
class FrameCache {
 public:
  // Keeps up to `bytes_max` of frames, most of which have `frame_bytes`.
  FrameCache(size_t bytes_max, size_t frame_bytes);
  size_t bytes_max() const { return kShards * shard_bytes_max_; }
  // Throws: what PackReader::read_frame throws; a failure is not kept, so that the next caller
  // tries again.
  FramePtr get(const PackReader& pack, size_t number);
  size_t bytes() const;

 private:
  static constexpr size_t kShards = 4;
  struct Key {
    PackId pack;
    size_t number = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return IdHash()(key.pack) + key.number * 0x9e3779b97f4a7c15;
    }
  };
  struct Shard {
    mutable Mutex mutex;
    CondVar arrived;
    std::unordered_set<Key, KeyHash> awaited TSMFS_GUARDED_BY(mutex);  // readers are at work
    RecentlyUsed<Key, FramePtr, KeyHash> frames TSMFS_GUARDED_BY(mutex);
    size_t bytes TSMFS_GUARDED_BY(mutex) = 0;
  };
  void insert(Shard& shard, const Key& key, const FramePtr& frame);
  void give_up(Shard& shard, const Key& key);

  size_t shard_bytes_max_;
  BufferPool buffers_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tsmfs::index
