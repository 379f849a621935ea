// A stored file, front to back.
#pragma once

#include <utility>
#include <vector>

#include "index/repository/file_reader.h"
#include "snapshot/stream/byte_stream.h"

namespace tsmfs::snapshot {

// Not thread safe. Throws: as index::FileReader.
class StoredStream : public ByteStream {
 public:
  explicit StoredStream(index::FileReader file) : file_(std::move(file)) {}
  size_t read(MutableByteView out) override;

 private:
  index::FileReader file_;
  std::vector<index::Slice> slices_;
  uint64_t position_ = 0;
};

}  // namespace tsmfs::snapshot
