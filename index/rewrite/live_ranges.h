// Which logical bytes of which packs are in use, as recipes and the lookup name them.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "index/format/digest.h"
#include "index/format/recipe.h"
#include "index/lookup/lookup.h"

namespace tsmfs::index {

// Sorted, disjoint and joined where they touch. 8 bytes of memory for each range: a pack that is in
// use as a whole is one range.
class ByteRanges {
 public:
  void add(ByteRange range);
  const std::vector<ByteRange>& list();
  uint64_t bytes();

 private:
  void settle();
  std::vector<ByteRange> ranges_;
  size_t settled_ = 0;  // so many of ranges_ are in order
};

// Not thread safe.
class LiveRanges {
 public:
  void add(const BlobPlace& place);
  // What the recipe needs.
  void add(const Recipe& recipe);
  // Nothing when no byte of the pack is in use.
  ByteRanges* find(const PackId& pack);

 private:
  std::unordered_map<PackId, ByteRanges, IdHash> packs_;
};

}  // namespace tsmfs::index
