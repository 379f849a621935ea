// This machine's name.
#pragma once

#include <string>

namespace tsmfs {

// "localhost" when it has none.
std::string host_name();

}  // namespace tsmfs
