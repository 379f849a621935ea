// The booleans of a TSM block, each 0 or 1.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/bool.go: a byte 0x10, a count, then a bit each, the first
// in the highest, zero bits to the byte.
#pragma once

#include <cstdint>
#include <span>

#include "index/blocks/tsm_points.h"

namespace tsmfs::index {

// Fills `out`. Throws: TsmFormatError, also when there are not exactly so many.
void decode_tsm_booleans(ByteView values, std::span<uint64_t> out);

// What encode_tsm_booleans() needs at most.
constexpr size_t tsm_booleans_bytes_max(size_t points) {
  return 1 + kTsmUvarintBytesMax + (points + 7) / 8;
}
// Puts the values at `to`; returns their end. Requires: room for tsm_booleans_bytes_max().
std::byte* encode_tsm_booleans(std::span<const uint64_t> values, std::byte* to);

}  // namespace tsmfs::index
