// All times of a TSM block at once; tsm_timestamps.h has their format.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/blocks/tsm_points.h"

namespace tsmfs::index {

// Fills `out`. Throws: TsmFormatError.
void decode_tsm_times(ByteView times, std::vector<int64_t>& out);

// What encode_tsm_times() needs at most.
constexpr size_t tsm_times_bytes_max(size_t points) {
  return 9 + 8 * points + 2 * kTsmUvarintBytesMax;
}
// Puts the times at `to` as a server of the dialect would; returns their end. `deltas` is memory
// for its own use. Requires: times_ns is not empty, and room for tsm_times_bytes_max().
std::byte* encode_tsm_times(std::span<const int64_t> times_ns, TsmDialect dialect,
                            std::vector<uint64_t>& deltas, std::byte* to);

}  // namespace tsmfs::index
