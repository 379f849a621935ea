// A stored file as a ByteSource.
#pragma once

#include <vector>

#include "index/format/byte_source.h"
#include "index/repository/file_reader.h"

namespace tsmfs::index {

// Not thread safe.
class StoredSource : public ByteSource {
 public:
  explicit StoredSource(FileReader file) : file_(std::move(file)) {}
  uint64_t size() const override { return file_.size(); }
  ByteView view(uint64_t offset, size_t length) override;

 private:
  FileReader file_;
  std::vector<Slice> slices_;  // keep the last view alive when it is one piece
  ByteBuffer gathered_;        // else it is put together here
};

}  // namespace tsmfs::index
