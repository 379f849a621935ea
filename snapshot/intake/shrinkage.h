// When a shard has so much less than in an earlier snapshot that somebody should look at it.
#pragma once

#include <cstdint>

namespace tsmfs::snapshot {

struct ShrinkLimit {
  uint64_t bytes_min;  // that it had; of less, nothing is said
  uint64_t share;      // of what it had: 4 is a quarter
};

// From a server, which is asked once more.
inline constexpr ShrinkLimit kFetchedShrink{uint64_t{64} << 10, 4};
// From a backup, which cannot be: deletes can take much of what is small.
inline constexpr ShrinkLimit kImportedShrink{uint64_t{1} << 20, 2};

inline bool shrank(uint64_t before, uint64_t after, const ShrinkLimit& limit) {
  return before >= limit.bytes_min && after < before / limit.share;
}

}  // namespace tsmfs::snapshot
