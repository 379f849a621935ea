// Whether one path lies within another, by their text.
#pragma once

#include <string_view>

namespace tsmfs {

// Whether `path` is `directory` or below it. Requires: both are absolute, without links and "..".
inline bool is_within(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() ||
                                         directory.ends_with('/') || path[directory.size()] == '/');
}

}  // namespace tsmfs
