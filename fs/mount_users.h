// Which processes keep a mount from being taken off, as far as the caller may know.
#pragma once

#include <filesystem>
#include <string>

namespace tsmfs::fs {

// " by bash (1234), cp (1240) and 3 more", or "" when none is found. Touches nothing inside the
// mount. Requires: `mountpoint` is absolute and without links.
std::string describe_users(const std::filesystem::path& mountpoint);

}  // namespace tsmfs::fs
