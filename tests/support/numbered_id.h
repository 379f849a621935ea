// Ids that a test tells apart.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tsmfs::test {

template <typename Id>
Id numbered(uint8_t number) {
  Id id;
  id.bytes[0] = std::byte{number};
  return id;
}

}  // namespace tsmfs::test
