// Which packs a prune keeps, deletes and rewrites. A pure function.
#pragma once

#include <cstdint>
#include <vector>

#include "index/lookup/lookup.h"

namespace tsmfs::index {

// A pack and how much of it is in use.
struct PackUse {
  PackNumber number = 0;
  PackRecord record;
  uint64_t logical_bytes = 0;
  uint64_t live_bytes = 0;  // logical ones
  // Estimated: the share of the file that unused bytes take.
  uint64_t unused_file_bytes() const;
};

struct PrunePlan {
  std::vector<PackUse> keep, remove, rewrite;
};

// Removes each pack that nothing uses. Rewrites those with the largest unused share until at most
// `max_unused` (0 to 1) of what stays is unused; and small packs, such as each backup with little
// news leaves, once there are more than kSmallPacksMax of them.
constexpr size_t kSmallPacksMax = 64;
PrunePlan plan_prune(std::vector<PackUse> packs, double max_unused, uint64_t pack_bytes);

}  // namespace tsmfs::index
