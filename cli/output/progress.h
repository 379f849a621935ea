// A line at the bottom of a terminal that says how far a command is.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <string>
#include <thread>

namespace tsmfs::cli {

// Thread safe. Without a terminal there is no line, and print() only prints.
class Progress {
 public:
  // `line` is called several times a second on a thread of the Progress's own; its answer is cut to
  // the terminal's width.
  Progress(std::ostream& err, bool terminal, std::function<std::string()> line);
  // Takes the line away.
  ~Progress();
  // Prints whole lines above the live one.
  void print(const std::string& text);

 private:
  void run(const std::stop_token& stop);
  std::ostream& err_;
  const bool terminal_;
  std::function<std::string()> line_;
  std::mutex mutex_;
  std::jthread thread_;
};

// True when standard error is a terminal.
bool stderr_is_terminal();
// Bytes a second since then; 0 before any time has passed.
double rate_since(std::chrono::steady_clock::time_point begin, uint64_t bytes);
// "3 s", "12 min", "2 h 5 min"
std::string format_duration(double seconds);

}  // namespace tsmfs::cli
