// How numbers and problems look to a person.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "snapshot/manifest.h"

namespace tsmfs::cli {

// "0 B", "812 B", "1.4 KiB", "37.2 MiB"
std::string format_bytes(uint64_t bytes);
void print_problem(std::ostream& err, const snapshot::Problem& problem);

}  // namespace tsmfs::cli
