// Decompresses gzip, a piece at a time: what all that reads gzip stands on.
#pragma once

#include <zlib.h>

#include <cstddef>

#include "index/base/bytes.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

// Takes members one behind the other. The checksum and length of a member are checked when its end
// is read. Memory: 64 KiB of input and zlib's window, whatever the stream claims. Not thread safe.
// Requires: `compressed` outlives it. Throws: what `compressed` throws.
class GzipInflater {
 public:
  enum class Stop {
    kRoom,       // there are bytes, and there may be more
    kMemberEnd,  // the bytes, if any, are a member's last
    kInputEnd,   // no bytes: there is no more input, between two members or within one
    kDamaged,    // no bytes of use; message() may say more
  };
  struct Piece {
    size_t bytes = 0;  // at the front of `out`
    Stop stop = Stop::kRoom;
  };

  explicit GzipInflater(ByteStream& compressed);
  ~GzipInflater();
  GzipInflater(const GzipInflater&) = delete;
  GzipInflater& operator=(const GzipInflater&) = delete;

  // Requires: `out` is not empty. After kMemberEnd it goes on with the next member.
  Piece next(MutableByteView out);
  // Whether what has been read ends within a member.
  bool within_member() const { return within_member_; }
  // Whether there is any input behind what next() has taken; of no more use then.
  bool has_more_input();
  // What zlib says of the damage; null when it says nothing.
  const char* message() const { return stream_.msg; }

 private:
  bool fill();

  ByteStream& compressed_;
  RawBuffer input_;
  z_stream stream_{};
  bool within_member_ = false;
};

}  // namespace tsmfs::snapshot
