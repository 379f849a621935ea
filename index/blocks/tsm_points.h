// The points of one TSM block, decoded.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/blocks/tsm_block.h"

namespace tsmfs::index {

// Who wrote a block. Both write the same points, but not always the same bytes.
enum class TsmDialect : uint8_t {
  kStream,  // all servers up to 1.6, and the cache snapshots of every later one
  kBatch,   // compactions since 1.7
};

// A column a kind; its memory is used again. Not those of strings are in `values`: bits of floats,
// integers in two's complement, unsigned integers, booleans as 0 and 1. A string's bytes are in
// `text`, from where the one before ends to its own end.
struct TsmPoints {
  uint8_t type = kTsmFloatType;
  std::vector<int64_t> times_ns;
  std::vector<uint64_t> values;
  ByteBuffer text;
  std::vector<uint32_t> text_ends;

  // Requires: number < text_ends.size().
  ByteView string(size_t number) const {
    const size_t begin = number == 0 ? 0 : text_ends[number - 1];
    return ByteView(text).subspan(begin, text_ends[number] - begin);
  }
};

}  // namespace tsmfs::index
