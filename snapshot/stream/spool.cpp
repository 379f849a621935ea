#include "snapshot/stream/spool.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "index/base/held_directory.h"
#include "index/base/invariant.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kTailBytes = 1 << 20;  // collected before a write to the file

}  // namespace

Spool::Spool(std::filesystem::path directory, size_t memory_bytes_max)
    : directory_(std::move(directory)), memory_bytes_max_(memory_bytes_max) {}

void Spool::append(ByteView bytes) {
  while (!bytes.empty()) {
    const MutableByteView room = reserve(bytes.size());
    std::memcpy(room.data(), bytes.data(), room.size());
    commit(room.size());
    bytes = bytes.subspan(room.size());
  }
}

MutableByteView Spool::reserve(size_t wanted) {
  require_invariant(wanted > 0, "a spool is asked for room for bytes");
  if (memory_size_ < memory_bytes_max_) {
    if (memory_.size() == 0) memory_ = RawBuffer(memory_bytes_max_);
    return memory_.span().subspan(memory_size_, std::min(wanted, memory_bytes_max_ - memory_size_));
  }
  if (tail_size_ == kTailBytes) flush_tail();
  if (tail_size_ == 0) make_window(kTailBytes);
  return window_.span().subspan(tail_size_, std::min(wanted, kTailBytes - tail_size_));
}

void Spool::commit(size_t count) {
  const bool in_memory = memory_size_ < memory_bytes_max_;
  require_invariant(
      count <= (in_memory ? memory_bytes_max_ - memory_size_ : kTailBytes - tail_size_),
      "a spool gets no more bytes than it has room for");
  (in_memory ? memory_size_ : tail_size_) += count;
  size_ += count;
}

void Spool::clear() {
  file_.reset();
  memory_size_ = tail_size_ = window_size_ = 0;
  written_ = size_ = 0;
}

ByteView Spool::view(uint64_t offset, size_t length) {
  if (length == 0) return {};
  if (offset + length <= memory_size_) return memory_.view().subspan(offset, length);
  flush_tail();
  if (offset >= window_offset_ && offset + length <= window_offset_ + window_size_)
    return window_.view().subspan(offset - window_offset_, length);
  make_window(length);
  const MutableByteView window = window_.span().first(length);
  const size_t from_memory = offset < memory_size_ ? static_cast<size_t>(memory_size_ - offset) : 0;
  if (from_memory > 0) std::memcpy(window.data(), memory_.data() + offset, from_memory);
  pread_exactly(file_, offset + from_memory - memory_size_, window.subspan(from_memory),
                directory_ / "spool");
  window_offset_ = offset;
  window_size_ = length;
  return window;
}

void Spool::flush_tail() {
  if (tail_size_ == 0) return;
  if (!file_) file_ = Directory::open(directory_).create_unnamed();
  write_all(file_, window_.view().first(tail_size_), directory_ / "spool");
  written_ += std::exchange(tail_size_, 0);
}

void Spool::make_window(size_t bytes) {
  window_size_ = 0;
  if (window_.size() >= bytes) return;
  window_ = RawBuffer();  // first, so that there are never two
  window_ = RawBuffer(bytes);
}

}  // namespace tsmfs::snapshot
