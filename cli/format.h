// How numbers and problems look to a person.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "snapshot/manifest.h"

namespace tsmfs::cli {

// "0 B", "812 B", "1.4 KiB", "37.2 MiB"
std::string format_bytes(uint64_t bytes);
// "snapshot 75222c1f of 2026-11-25T02:32:06Z, server db1"
void print_snapshot(std::ostream& out, const snapshot::Manifest& manifest);
void print_problem(std::ostream& err, const snapshot::Problem& problem);
// An array of objects, as --json shows them.
nlohmann::json problems_json(const snapshot::Manifest& manifest);

}  // namespace tsmfs::cli
