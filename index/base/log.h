// Messages to a person: standard error for a command, or the system log for a mount in the
// background.
//
// Results go to stdout and never through here. What a message holds of the world comes out visible
// (index/base/visible.h). Thread safe.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tsmfs::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// Messages below `level` are dropped; kInfo at first.
void set_level(Level level);
// From now on messages go to syslog(3) under the name "tsmfs". For a process that has left its
// terminal.
void use_syslog();
void write(Level level, const std::string& message);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace tsmfs::log
