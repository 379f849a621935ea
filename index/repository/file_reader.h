// One stored file, readable anywhere, as pieces of cached frames.
//
// A read finds its run by binary search, its frame by the pack's frame table, and hands out slices
// of cached frames: no look-up, and nothing that PackReader has not checked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/base/bytes.h"
#include "index/format/recipe.h"

namespace tsmfs::index {

class ObjectReader;

// Some bytes, and what keeps them alive.
struct Slice {
  ByteView bytes;
  std::shared_ptr<const void> owner;
};

// Thread safe: reads share nothing but the caches. Copies are cheap. Requires: `objects` outlives
// it.
class FileReader {
 public:
  FileReader(std::shared_ptr<const Recipe> recipe, ObjectReader& objects);
  const FileId& id() const { return id_; }
  uint64_t size() const { return size_; }
  // Appends to `out`, in order, the bytes of [offset, offset + length) that the file has; fewer at
  // its end, none past it. Each frame is checked when it comes from disk. When a pack is gone, a
  // prune may have moved the bytes: they are read by the file's newest recipe. Throws: IoError,
  // CorruptError; `out` then holds a useless beginning.
  void read(uint64_t offset, size_t length, std::vector<Slice>& out) const;

 private:
  using RecipePtr = std::shared_ptr<const Recipe>;
  void read_by(const RecipePtr& recipe, uint64_t offset, size_t length,
               std::vector<Slice>& out) const;

  FileId id_;
  uint64_t size_ = 0;
  ObjectReader* objects_;
  std::shared_ptr<std::atomic<RecipePtr>> recipe_;  // shared by copies
};

}  // namespace tsmfs::index
