// Groups of integers, each in as many bits: the first in the lowest bits, a group whole bytes.
#pragma once

#include <cstdint>
#include <span>

#include "index/base/bytes.h"

namespace tsmfs::index {

constexpr unsigned kBitsMax = 64;
// That lie behind packed bits, and are read with them.
constexpr size_t kPackSlackBytes = 16;

constexpr size_t packed_bytes(size_t count, unsigned bits) {
  return (count * bits + 7) / 8;
}
// Appends the lowest `bits` of each.
void pack_bits(std::span<const uint64_t> values, unsigned bits, ByteBuffer& out);
// Fills `out`. Requires: packed_bytes() and kPackSlackBytes at `from`; bits <= kBitsMax.
void unpack_bits(const std::byte* from, unsigned bits, std::span<uint64_t> out);

}  // namespace tsmfs::index
