// A whole pack as the lookup wants to know it.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "index/format/digest.h"
#include "index/format/pack_format.h"

namespace tsmfs::index {

// What the recipes of a pack need (index/format/recipe_needs.h).
struct RecipeLists {
  std::vector<FileId> lossy;                  // files of which a needed pack is gone
  std::unordered_set<PackId, IdHash> needed;  // by the other ones
};

struct PackContents {
  PackHeader header;
  uint64_t file_bytes = 0;
  std::vector<FrameEntry> frames;
  std::vector<BlobEntry> blobs;
  RecipeLists lists;  // of the recipes here
};

}  // namespace tsmfs::index
