// A ByteStream over a string, handed out in pieces of any size.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "snapshot/stream/byte_stream.h"

namespace tsmfs::support {

class StringStream : public snapshot::ByteStream {
 public:
  explicit StringStream(std::string content, size_t piece_bytes_max = SIZE_MAX)
      : content_(std::move(content)), piece_bytes_max_(piece_bytes_max) {}
  size_t read(MutableByteView out) override {
    const size_t count = std::min({out.size(), piece_bytes_max_, content_.size() - position_});
    if (count > 0) std::memcpy(out.data(), content_.data() + position_, count);
    position_ += count;
    ++reads_;
    return count;
  }
  size_t position() const { return position_; }
  size_t reads() const { return reads_; }

 private:
  std::string content_;
  size_t piece_bytes_max_;
  size_t position_ = 0;
  size_t reads_ = 0;
};

}  // namespace tsmfs::support
