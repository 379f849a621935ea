#include "index/base/buffer_pool.h"

#include <utility>

namespace tsmfs {

BufferPool::BufferPool(size_t buffer_bytes, size_t kept_max)
    : buffer_bytes_(buffer_bytes), kept_max_(kept_max), kept_(std::make_shared<Kept>()) {
  MutexLock lock(kept_->mutex);
  kept_->buffers.reserve(kept_max_);  // so that giving one back cannot fail
}

std::shared_ptr<RawBuffer> BufferPool::take(size_t size) {
  if (size > buffer_bytes_ || size < buffer_bytes_ / 2) return std::make_shared<RawBuffer>(size);
  RawBuffer buffer;
  {
    MutexLock lock(kept_->mutex);
    if (!kept_->buffers.empty()) {
      buffer = std::move(kept_->buffers.back());
      kept_->buffers.pop_back();
    }
  }
  if (buffer.capacity() == 0) buffer = RawBuffer(buffer_bytes_);
  buffer.resize(size);
  const auto give_back = [kept = kept_, kept_max = kept_max_](RawBuffer* used) {
    const std::unique_ptr<RawBuffer> owned(used);
    MutexLock lock(kept->mutex);
    if (kept->buffers.size() < kept_max) kept->buffers.push_back(std::move(*owned));
  };
  return {new RawBuffer(std::move(buffer)), give_back};
}

}  // namespace tsmfs
