#include "index/codec/bit_pack.h"

#include <algorithm>

namespace tsmfs::index {

void pack_bits(std::span<const uint64_t> values, unsigned bits, ByteBuffer& out) {
  if (bits == 0) return;
  const size_t begin = out.size();
  const size_t bytes = packed_bytes(values.size(), bits);
  out.resize(begin + bytes + kPackSlackBytes);
  std::byte* const to = out.data() + begin;
  const uint64_t mask = bits == kBitsMax ? UINT64_MAX : (uint64_t{1} << bits) - 1;
  for (size_t i = 0, bit = 0; i < values.size(); ++i, bit += bits) {
    std::byte* const at = to + bit / 8;
    const unsigned shift = bit % 8;
    const uint64_t value = values[i] & mask;
    store_le(at, load_le<uint64_t>(at) | value << shift);
    if (shift + bits > kBitsMax) at[8] = static_cast<std::byte>(value >> (kBitsMax - shift));
  }
  out.resize(begin + bytes);
}

void unpack_bits(const std::byte* from, unsigned bits, std::span<uint64_t> out) {
  if (bits == 0) {
    std::ranges::fill(out, 0);
    return;
  }
  const uint64_t mask = bits == kBitsMax ? UINT64_MAX : (uint64_t{1} << bits) - 1;
  const bool may_span_nine = bits > kBitsMax - 7;
  for (size_t i = 0, bit = 0; i < out.size(); ++i, bit += bits) {
    const std::byte* const at = from + bit / 8;
    const unsigned shift = bit % 8;
    uint64_t value = load_le<uint64_t>(at) >> shift;
    if (may_span_nine && shift != 0)
      value |= std::to_integer<uint64_t>(at[8]) << (kBitsMax - shift);
    out[i] = value & mask;
  }
}

}  // namespace tsmfs::index
