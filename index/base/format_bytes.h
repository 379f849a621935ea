// How an amount of bytes looks to a person.
#pragma once

#include <cstdint>
#include <string>

namespace tsmfs {

// "0 B", "812 B", "1.4 KiB", "37.2 MiB"
std::string format_bytes(uint64_t bytes);

}  // namespace tsmfs
