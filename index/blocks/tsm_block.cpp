#include "index/blocks/tsm_block.h"

#include <libdeflate.h>

namespace tsmfs::index {

uint32_t update_tsm_crc(uint32_t crc, ByteView data) {
  return libdeflate_crc32(crc, data.data(), data.size());
}

bool is_sound_tsm_block(ByteView block) {
  return update_tsm_crc(0, block.subspan(kTsmCrcBytes)) == load_be<uint32_t>(block.data());
}

TsmBlockParts split_tsm_block(ByteView block) {
  take_tsm_bytes(block, kTsmCrcBytes);
  TsmBlockParts parts;
  parts.type = std::to_integer<uint8_t>(take_tsm_bytes(block, 1)[0]);
  parts.times = take_tsm_bytes(block, take_tsm_uvarint(block));
  parts.values = block;
  return parts;
}

ByteView take_tsm_bytes(ByteView& bytes, uint64_t length) {
  if (length > bytes.size()) throw TsmFormatError{"a block that is cut off"};
  const ByteView taken = bytes.first(length);
  bytes = bytes.subspan(length);
  return taken;
}

uint64_t take_tsm_word(ByteView& bytes) {
  return load_be<uint64_t>(take_tsm_bytes(bytes, 8).data());
}

uint64_t take_tsm_uvarint(ByteView& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (bytes.empty()) break;
    const auto byte = std::to_integer<uint8_t>(bytes[0]);
    bytes = bytes.subspan(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw TsmFormatError{"a block with a malformed integer"};
}

std::byte* put_tsm_word(std::byte* to, uint64_t value) {
  store_be(to, value);
  return to + 8;
}

std::byte* put_tsm_uvarint(std::byte* to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>(value | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}

}  // namespace tsmfs::index
