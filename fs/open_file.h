// A file handle of the mount, and the bytes of one read on their way to the kernel.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <vector>

#include "fs/node.h"
#include "fs/read_ahead.h"
#include "index/base/bytes.h"
#include "index/repository/file_reader.h"
#include "index/repository/object_reader.h"

namespace tsmfs::fs {

// The bytes of one read. Made once a thread and used again, so that a read allocates nothing. Not
// thread safe.
class ReadBytes {
 public:
  // Up to so many pieces go out as they lie in the frame cache; more of them are cheaper to copy
  // together first.
  static constexpr size_t kPiecesMax = 64;

  // What the file has of [offset, offset + length), in order. Good until the next call, or clear().
  std::span<const iovec> collect(const index::FileReader& reader, uint64_t offset, size_t length);
  // Lets go of the cached frames.
  void clear() { slices_.clear(); }

 private:
  void gather();

  std::vector<index::Slice> slices_;
  std::vector<iovec> pieces_;
  RawBuffer gathered_;
};

// Thread safe.
class OpenFile {
 public:
  // Throws: IoError; CorruptError, also when the file's length is not the one its directory names.
  // `ahead` outlives it.
  OpenFile(index::ObjectReader& objects, const FileContent& content, ReadAhead& ahead);
  // The bytes of [offset, offset + length) that the file has; fewer at its end. Throws: IoError,
  // CorruptError.
  std::span<const iovec> read(uint64_t offset, size_t length, ReadBytes& bytes);

 private:
  index::FileReader reader_;
  ForwardStreams streams_;
};

}  // namespace tsmfs::fs
