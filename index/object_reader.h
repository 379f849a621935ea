// Reads what a repository holds: tree nodes and files, by id.
#pragma once

#include <cstddef>
#include <memory>

#include "index/base/bytes.h"
#include "index/digest.h"
#include "index/file_reader.h"
#include "index/frame_cache.h"
#include "index/object_index.h"
#include "index/pack_store.h"

namespace tsmfs::index {

// Thread safe. Requires: `index`, `packs` and `key` outlive it, and the readers it gives out do
// not.
class ObjectReader {
 public:
  ObjectReader(ObjectIndex& index, PackStore& packs, const DigestKey& key, size_t cache_bytes_max);
  // The encoded node. Throws: CorruptError when it is absent or its digest is wrong.
  ByteBuffer read_tree(const TreeId& id);
  // Throws: CorruptError when no recipe of the file is found, or it is another file's.
  std::shared_ptr<const Recipe> read_recipe(const FileId& id);
  FileReader open_file(const FileId& id);
  FrameCache& frames() { return frames_; }

 private:
  ByteBuffer read_blob(const BlobPlace& place);

  ObjectIndex& index_;
  PackStore& packs_;
  const DigestKey& key_;
  FrameCache frames_;
};

}  // namespace tsmfs::index
