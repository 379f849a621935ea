// Writes one pack file. docs/FORMAT.md, "Packs".
#pragma once

#include <memory>
#include <vector>

#include "index/format/pack_contents.h"
#include "index/format/pack_format.h"
#include "index/storage/storage.h"

namespace tsmfs::index {

// A frame ready to be written.
struct StoredFrame {
  BlobKind kind = BlobKind::kChunk;
  Codec codec = Codec::kRaw;
  uint32_t raw_length = 0;
  RawBuffer stored;
  std::vector<BlobEntry> blobs;  // id and length; the rest is derived
};

// Not thread safe. Destroyed unfinished, it leaves nothing behind.
class PackWriter {
 public:
  PackWriter(Storage& storage, const PackHeader& header);
  // Requires: frames come in the order of their kinds (chunks, recipes, trees). Throws: IoError.
  void append(const StoredFrame& frame);
  // Writes the tables, and gives the pack its name; on return it is durable. Throws:
  // IoError.
  PackContents finish();

 private:
  std::unique_ptr<NewObject> object_;
  PackContents contents_;
  uint64_t file_offset_ = 0;
  uint64_t logical_offset_ = 0;
};

}  // namespace tsmfs::index
