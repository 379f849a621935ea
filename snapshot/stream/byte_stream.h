// Bytes that come once, in order: a server's answer, or a file read front to back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/base/bytes.h"

namespace tsmfs::snapshot {

// Not thread safe.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Puts bytes at the front of `out`, at least one, and says how many; fewer than `out` holds is no
  // sign of the end. 0 is the end, and stays so. Requires: `out` is not empty.
  // Throws: ProtocolError, IoError, Cancelled; the stream is of no more use then.
  virtual size_t read(MutableByteView out) = 0;
};

// Fills `out`, or as much of it as comes before the end, and says how much that was.
size_t read_up_to(ByteStream& stream, MutableByteView out);
// Appends what comes before the end, up to `bytes_max` bytes. Memory follows what has come, not
// what was announced.
void read_into(ByteStream& stream, uint64_t bytes_max, ByteBuffer& out);

}  // namespace tsmfs::snapshot
