// Untrusted text in a message to a person: no control characters reach the terminal, no name fills
// the screen.
#pragma once

#include <string>
#include <string_view>

namespace tsmfs {

// `text` as visible() between single quotes, quotes and backslashes as \xNN, cut at 200 bytes.
std::string quote(std::string_view text);

}  // namespace tsmfs
