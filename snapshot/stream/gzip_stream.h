// The content of a gzip stream, decompressed piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "index/base/bytes.h"
#include "snapshot/stream/byte_stream.h"
#include "snapshot/stream/gzip_inflater.h"

namespace tsmfs::snapshot {

// One gzip member, and nothing behind it. Its checksum and length are checked when its end is read.
// Memory: 64 KiB of input and zlib's window, whatever the stream claims. Not thread safe. Throws:
// ProtocolError, naming `label`, for anything else, and for more than `bytes_max` bytes; and what
// the stream below throws.
class GzipStream : public ByteStream {
 public:
  GzipStream(std::unique_ptr<ByteStream> compressed, std::string label, uint64_t bytes_max);
  size_t read(MutableByteView out) override;
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  [[noreturn]] void fail(const std::string& why) const;

  std::unique_ptr<ByteStream> compressed_;
  std::string label_;
  uint64_t bytes_max_;
  uint64_t bytes_read_ = 0;
  GzipInflater inflater_;
  bool ended_ = false;
};

}  // namespace tsmfs::snapshot
