// The floats of a TSM block, as their bits.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/float.go, after Pelkonen et al., "Gorilla: a fast,
// scalable, in-memory time series database" (VLDB 2015): a byte 0x10, the first value, then of each
// its exclusive or with the one before. Bit 0: it is zero. Bits 10: what differs lies in the window
// of before and follows. Bits 11: a new window, 5 bits of leading zeros (those beyond 31 wrap) and
// 6 of length (64 is 0), then what differs. The end is a NaN that no value is, zero bits to the
// byte.
#pragma once

#include <cstdint>
#include <span>

#include "index/blocks/tsm_points.h"

namespace tsmfs::index {

// The bits of Go's NaN: the end of a block, so no value of one.
constexpr uint64_t kTsmFloatsEnd = 0x7FF8000000000001;

// Fills `out`. Throws: TsmFormatError, also when there are not exactly so many.
void decode_tsm_floats(ByteView values, std::span<uint64_t> out);

// What encode_tsm_floats() needs at most: 77 bits a value, and room to write whole words.
constexpr size_t tsm_floats_bytes_max(size_t points) {
  return 10 * (points + 1) + 32;
}
// Puts the values at `to`; returns their end. Requires: none is kTsmFloatsEnd (else the block says
// something else), and room for tsm_floats_bytes_max().
std::byte* encode_tsm_floats(std::span<const uint64_t> values, std::byte* to);

}  // namespace tsmfs::index
