#include "index/blocks/boolean_codec.h"

#include <algorithm>

namespace tsmfs::index {

namespace {

constexpr std::byte kBooleansHead{0x10};

}  // namespace

void decode_tsm_booleans(ByteView values, std::span<uint64_t> out) {
  if (take_tsm_bytes(values, 1)[0] != kBooleansHead)
    throw TsmFormatError{"a block with an unknown encoding of booleans"};
  if (take_tsm_uvarint(values) != out.size() || values.size() != (out.size() + 7) / 8)
    throw TsmFormatError{"a block of fewer or more booleans than times"};
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = std::to_integer<unsigned>(values[i / 8]) >> (7 - i % 8) & 1;
}

std::byte* encode_tsm_booleans(std::span<const uint64_t> values, std::byte* to) {
  *to++ = kBooleansHead;
  to = put_tsm_uvarint(to, values.size());
  for (size_t i = 0; i < values.size(); i += 8) {
    unsigned bits = 0;
    for (size_t k = i; k < std::min(i + 8, values.size()); ++k)
      bits |= static_cast<unsigned>(values[k] & 1) << (7 - k % 8);
    *to++ = static_cast<std::byte>(bits);
  }
  return to;
}

}  // namespace tsmfs::index
