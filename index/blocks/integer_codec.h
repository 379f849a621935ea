// The integers of a TSM block, signed or not (which are encoded by their bits).
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/int.go: a byte with the encoding (high half); then zigzag
// deltas to the value before (the first one's to 0), as raw words, or the first as a word and the
// others in simple8b words, or the first as a word, one delta and a count of deltas.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/blocks/tsm_points.h"

namespace tsmfs::index {

// Fills `out`. Throws: TsmFormatError, also when there are not exactly so many.
void decode_tsm_integers(ByteView values, std::span<uint64_t> out);

// What encode_tsm_integers() needs at most.
constexpr size_t tsm_integers_bytes_max(size_t points) {
  return 9 + 8 * points + 2 * kTsmUvarintBytesMax;
}
// Puts the values at `to` as a server of the dialect would; returns their end. `deltas` is memory
// for its own use. Requires: values is not empty, and room for tsm_integers_bytes_max().
std::byte* encode_tsm_integers(std::span<const uint64_t> values, TsmDialect dialect,
                               std::vector<uint64_t>& deltas, std::byte* to);

}  // namespace tsmfs::index
