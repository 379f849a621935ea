// Bytes that come once, in order: a server's answer, or a file read front to back.
//
// Which class is which: a stream (ByteStream) is read front to back, once, and may break off; a
// source (index::ByteSource) has a known length and is looked at anywhere; a sink (ByteSink) takes
// bytes. For a file of a disk these are FileStream, FileSource and FileSink, the first two over
// DiskFile, which is the open file and neither of them; for a file of the repository StoredStream
// and index::StoredSource, over index::FileReader; for a connection
// TcpStream. A Spool makes a source of what comes as a stream, and index::MemorySource of what is
// in memory. The others stand in front of another one: GzipStream and GzipSink, a tombstone's
// members, a stream that has to have a length (SizedStream in backup_run.cpp), standard output
// (StreamSink).
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
