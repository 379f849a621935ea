// Entries of a write-ahead log, for tests.
#pragma once

#include <string>

#include "index/base/bytes.h"

namespace tsmfs::test {

template <typename T>
std::string big_endian(T value) {
  std::byte bytes[sizeof(T)];
  store_be(bytes, value);
  return std::string(as_text(bytes));
}

// As snappy keeps what it does not compress: the length, then a literal of up to 60 bytes each.
inline std::string snappy_literal(const std::string& content) {
  std::string out;
  size_t length = content.size();
  for (; length >= 0x80; length >>= 7) out += static_cast<char>(length | 0x80);
  out += static_cast<char>(length);
  for (size_t at = 0; at < content.size(); at += 60) {
    const std::string piece = content.substr(at, 60);
    out += static_cast<char>((piece.size() - 1) << 2);
    out += piece;
  }
  return out;
}

inline std::string log_entry(char type, const std::string& content) {
  const std::string packed = snappy_literal(content);
  return std::string(1, type) + big_endian(static_cast<uint32_t>(packed.size())) + packed;
}

}  // namespace tsmfs::test
