#include "index/pack/frame_cache.h"

namespace tsmfs::index {

// One buffer for each of the threads that read at a time is spare.
constexpr size_t kSpareBuffers = 8;

FrameCache::FrameCache(size_t bytes_max, size_t frame_bytes)
    : shard_bytes_max_(bytes_max / kShards), buffers_(frame_bytes, kSpareBuffers) {}

FramePtr FrameCache::get(const PackReader& pack, size_t number) {
  const Key key{pack.header().id, number};
  Shard& shard = shards_[KeyHash()(key) >> 7 & (kShards - 1)];
  {
    MutexLock lock(shard.mutex);
    while (true) {
      if (const FramePtr* frame = shard.frames.find(key)) return *frame;
      if (shard.awaited.insert(key).second) break;  // ours to read
      shard.arrived.wait(shard.mutex);
    }
  }
  try {
    const auto buffer = buffers_.take(pack.frames().at(number).raw_length);
    pack.read_frame(number, buffer->span());
    FramePtr frame = buffer;
    insert(shard, key, frame);
    return frame;
  } catch (...) {
    give_up(shard, key);
    throw;
  }
}

void FrameCache::insert(Shard& shard, const Key& key, const FramePtr& frame) {
  MutexLock lock(shard.mutex);
  shard.awaited.erase(key);
  shard.frames.add(key, frame);
  shard.bytes += frame->size();
  // The newest frame stays, even if it alone is over the limit: its waiters are about to take it.
  while (shard.bytes > shard_bytes_max_ && shard.frames.size() > 1)
    shard.bytes -= shard.frames.take_oldest()->size();
  shard.arrived.notify_all();
}

void FrameCache::give_up(Shard& shard, const Key& key) {
  MutexLock lock(shard.mutex);
  shard.awaited.erase(key);
  shard.arrived.notify_all();
}

size_t FrameCache::bytes() const {
  size_t sum = 0;
  for (const Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    sum += shard.bytes;
  }
  return sum;
}

}  // namespace tsmfs::index
