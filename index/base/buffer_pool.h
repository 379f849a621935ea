// Buffers of one size that are used again and again, so that reading does not ask the system for
// fresh pages each time, nor leave the heap in pieces.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "index/base/bytes.h"
#include "index/base/mutex.h"

namespace tsmfs {

// Thread safe. Buffers may outlive it.
class BufferPool {
 public:
  // Up to `kept_max` buffers of `buffer_bytes` wait for their next use.
  BufferPool(size_t buffer_bytes, size_t kept_max);
  // `size` bytes, not zeroed. They come back when the last holder lets go of them. A buffer that is
  // larger than the pool's, or under half of that, is one of its own.
  std::shared_ptr<RawBuffer> take(size_t size);

 private:
  struct Kept {
    Mutex mutex;
    std::vector<RawBuffer> buffers TSMFS_GUARDED_BY(mutex);
  };
  size_t buffer_bytes_;
  size_t kept_max_;
  std::shared_ptr<Kept> kept_;
};

}  // namespace tsmfs
