// Bytes of a known length that can be looked at anywhere: a spooled file of a stream, or a file on
// disk.
#pragma once

#include <cstdint>
#include <string>

#include "index/base/bytes.h"

namespace tsmfs::index {

// Not thread safe. What view() returned is good until the next call of view().
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  // Requires: offset + length <= size(). Throws: IoError, CorruptError when the file has shrunk.
  virtual ByteView view(uint64_t offset, size_t length) = 0;
};

// Bytes in memory, not owned.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  ByteView view(uint64_t offset, size_t length) override { return bytes_.subspan(offset, length); }

 private:
  ByteView bytes_;
};

}  // namespace tsmfs::index
