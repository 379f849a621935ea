#include "index/base/bytes.h"

#include <fmt/format.h>

#include "index/base/error.h"

namespace tsmfs {

void ByteWriter::varint(uint64_t value) {
  while (value >= 0x80) {
    u8(static_cast<uint8_t>(value) | 0x80);
    value >>= 7;
  }
  u8(static_cast<uint8_t>(value));
}

uint64_t ByteReader::varint(uint64_t max) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const uint8_t byte = u8();
    if (shift == 63 && byte > 1) fail("an integer over 64 bits");
    if (byte == 0 && shift > 0) fail("an integer that is not in its shortest form");
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (value > max) fail(fmt::format("the value {} where at most {} is allowed", value, max));
  return value;
}

ByteView ByteReader::raw(uint64_t length) {
  if (length > remaining()) fail(fmt::format("ends at byte {} in mid-value", bytes_.size()));
  const ByteView view = bytes_.subspan(position_, length);
  position_ += length;
  return view;
}

uint64_t ByteReader::count(size_t item_bytes_min, uint64_t max) {
  const uint64_t value = varint(max);
  if (value > remaining() / item_bytes_min)
    fail(fmt::format("a count of {} in {} bytes", value, remaining()));
  return value;
}

void ByteReader::expect_end() const {
  if (!at_end()) fail(fmt::format("{} bytes too many at its end", remaining()));
}

void ByteReader::fail(const std::string& why) const {
  throw CorruptError(fmt::format("{} is damaged: {} (at byte {})", object_, why, position_));
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (std::byte byte : bytes) {
    hex += kDigits[std::to_integer<unsigned>(byte) >> 4];
    hex += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return hex;
}

void from_hex(std::string_view hex, MutableByteView out) {
  auto value_of = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  bool good = hex.size() == out.size() * 2;
  for (size_t i = 0; good && i < out.size(); ++i) {
    const int high = value_of(hex[2 * i]), low = value_of(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) out[i] = static_cast<std::byte>(high << 4 | low);
  }
  if (!good)
    throw CorruptError(fmt::format("'{}' is not {} bytes in hexadecimal", hex, out.size()));
}

}  // namespace tsmfs
