#include "index/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>

#include <memory>

#include "index/base/visible.h"

namespace tsmfs::log {

namespace {

std::shared_ptr<spdlog::logger>& current() {
  static std::shared_ptr<spdlog::logger> logger = [] {
    auto made = spdlog::stderr_logger_mt("tsmfs");
    made->set_pattern("%v");
    return made;
  }();
  return logger;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view prefix(Level level) {
  switch (level) {
    case Level::kWarning:
      return "tsmfs: warning: ";
    case Level::kError:
      return "tsmfs: error: ";
    default:
      return "";
  }
}

}  // namespace

void set_level(Level level) {
  current()->set_level(spdlog_level(level));
}

void use_syslog() {
  const auto level = current()->level();
  auto syslog = spdlog::syslog_logger_mt("tsmfs-syslog", "tsmfs", LOG_PID, LOG_DAEMON);
  syslog->set_pattern("%v");
  syslog->set_level(level);
  current() = syslog;
}

void write(Level level, const std::string& message) {
  current()->log(spdlog_level(level), "{}{}", prefix(level), visible_message(message));
}

}  // namespace tsmfs::log
