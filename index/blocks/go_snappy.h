// Snappy's format, as the Go implementation (github.com/golang/snappy) compresses: it finds other
// matches than snappy's own library does, so its bytes are others.
//
// Format: google/snappy, format_description.txt. What decides over the bytes: pieces of 64 KiB,
// each compressed by itself; a table of 2^8 to 2^14 places, the smallest that has one a byte, by
// the hash 0x1e35a7bd of 4 bytes; after each 32 bytes without a match, steps one byte longer.
#pragma once

#include <cstdint>
#include <vector>

#include "index/base/bytes.h"

namespace tsmfs::index {

// What go_snappy() needs at most.
constexpr size_t go_snappy_bytes_max(size_t length) {
  return 32 + length + length / 6;
}
// Puts the compressed bytes at `to`; returns their end. Requires: room for go_snappy_bytes_max();
// under 4 GiB, as the format has it.
std::byte* go_snappy(ByteView plain, std::byte* to);

}  // namespace tsmfs::index
