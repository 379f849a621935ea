#include "cli/output/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <ostream>

#include "cli/output/visible_stream.h"

namespace tsmfs::cli {

namespace {

constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr const char* kClearLine = "\r\x1b[K";

size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

Progress::Progress(std::ostream& err, bool terminal, std::function<std::string()> line)
    : err_(err), terminal_(terminal), line_(std::move(line)) {
  if (terminal_) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Progress::~Progress() {
  if (!terminal_) return;
  thread_.request_stop();
  thread_.join();
  write_control(err_, kClearLine);
  err_ << std::flush;
}

void Progress::print(const std::string& text) {
  const std::lock_guard lock(mutex_);
  if (terminal_) write_control(err_, kClearLine);
  err_ << text << std::flush;
}

void Progress::run(const std::stop_token& stop) {
  std::condition_variable_any wake;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    write_control(err_, kClearLine);
    err_ << line_().substr(0, terminal_width() - 1) << std::flush;
    wake.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

bool stderr_is_terminal() {
  return ::isatty(STDERR_FILENO) == 1;
}

double rate_since(std::chrono::steady_clock::time_point begin, uint64_t bytes) {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return seconds > 0 ? static_cast<double>(bytes) / seconds : 0;
}

std::string format_duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min", whole / 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace tsmfs::cli
