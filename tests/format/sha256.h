// SHA-256 (OpenSSL), as independent of the digests of tsmfs as can be.
#pragma once

#include <openssl/sha.h>

#include <array>
#include <string>

#include "index/base/bytes.h"

namespace tsmfs::test {

// 64 hexadecimal digits, as sha256sum prints them.
inline std::string sha256_hex(ByteView bytes) {
  std::array<std::byte, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return to_hex(digest);
}

}  // namespace tsmfs::test
