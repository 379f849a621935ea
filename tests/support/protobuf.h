// Protobuf messages by hand: metastores that do not rest on the schema under test.
#pragma once

#include <cstdint>
#include <string>

namespace tsmfs::support::protobuf {

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
// A field that is a number.
inline std::string number(unsigned field, uint64_t value) {
  return varint(field << 3) + varint(value);
}
// A field that is text or a message.
inline std::string bytes(unsigned field, const std::string& content) {
  return varint(field << 3 | 2) + varint(content.size()) + content;
}

}  // namespace tsmfs::support::protobuf
