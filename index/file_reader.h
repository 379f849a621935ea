// One stored file, readable anywhere, as pieces of cached frames.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "index/base/bytes.h"
#include "index/frame_cache.h"
#include "index/pack_store.h"
#include "index/recipe.h"

namespace tsmfs::index {

// Some bytes, and what keeps them alive.
struct Slice {
  ByteView bytes;
  std::shared_ptr<const void> owner;
};

// Thread safe: reads share nothing but the caches. Requires: `packs` and `frames` outlive it.
class FileReader {
 public:
  FileReader(std::shared_ptr<const Recipe> recipe, PackStore& packs, FrameCache& frames);
  uint64_t size() const { return recipe_->size(); }
  // Appends to `out`, in order, the bytes of [offset, offset + length) that the file has; fewer at
  // its end, none past it. Each frame is checked when it comes from disk. Throws: IoError,
  // CorruptError; `out` then holds a useless beginning.
  void read(uint64_t offset, size_t length, std::vector<Slice>& out) const;

 private:
  std::shared_ptr<const Recipe> recipe_;
  PackStore& packs_;
  FrameCache& frames_;
};

}  // namespace tsmfs::index
