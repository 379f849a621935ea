// What the servers of the tests have in common.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "index/base/file.h"

namespace tsmfs::support {

// A listening socket, and its port, which the kernel chose.
std::pair<Fd, uint16_t> listen_on_loopback();

// Eight bytes.
std::string big_endian(uint64_t value);

}  // namespace tsmfs::support
