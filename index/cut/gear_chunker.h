// Content-defined cuts: a gear rolling hash with normalised chunking (Xia et al., "FastCDC", USENIX
// ATC '16).
//
// hash(i) = hash(i-1) * 2 + gear[byte(i)]: after 64 bytes the hash depends on the last 64 bytes
// only. A cut falls where the top bits selected by a mask are all zero. Below the average length
// the mask has two bits more than log2(average), above it two bits fewer, which draws the lengths
// together: few chunks are forced at the maximum. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/base/bytes.h"

namespace tsmfs::index {

struct CutParameters {
  size_t bytes_min = 0;
  size_t bytes_average = 0;  // a power of two
  size_t bytes_max = 0;
};

constexpr CutParameters kCutsOfFiles = {16 << 10, 64 << 10, 256 << 10};

// The length of the first chunk of `bytes`: all of them when no cut falls within them. A caller
// that has more bytes behind these offers at least bytes_max, else the cuts would depend on how the
// bytes were offered.
size_t first_cut(ByteView bytes, const CutParameters& parameters);

}  // namespace tsmfs::index
