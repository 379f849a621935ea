// The password for a server's HTTP API.
#pragma once

#include <filesystem>
#include <string>

namespace tsmfs::cli {

// The first line of the file, or INFLUX_PASSWORD when none is named; empty when that is not set
// either. Throws: IoError; CorruptError for a file that is no such thing.
std::string read_password(const std::filesystem::path& file);

}  // namespace tsmfs::cli
