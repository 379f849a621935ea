// A whole pack as the lookup wants to know it.
#pragma once

#include <cstdint>
#include <vector>

#include "index/format/pack_format.h"
#include "index/format/recipe_needs.h"

namespace tsmfs::index {

struct PackContents {
  PackHeader header;
  uint64_t file_bytes = 0;
  std::vector<FrameEntry> frames;
  std::vector<BlobEntry> blobs;
  RecipeLists lists;  // of the recipes here
};

}  // namespace tsmfs::index
