// An influxd of our own.
#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cli/process/child.h"
#include "cli/serve/influxd_config.h"
#include "cli/serve/influxd_program.h"
#include "index/base/error.h"

namespace tsmfs::cli {

// It did not come up, or ended by itself.
class InfluxdEndedError : public Error {
 public:
  using Error::Error;
};

// Ends with this object, and with the process: at once, if its place is not kept. Not thread safe.
class InfluxdServer {
 public:
  // Starts it, with a configuration and a log in `place`. Throws: IoError, UsageError.
  InfluxdServer(const InfluxdProgram& program, const ServedPlace& place,
                const InfluxdSettings& settings);
  InfluxdServer(const InfluxdServer&) = delete;
  InfluxdServer& operator=(const InfluxdServer&) = delete;
  ~InfluxdServer();

  // Throws: InfluxdEndedError, with the last lines of its log, when it ends before that, or has
  // not answered by `deadline`; Cancelled.
  void wait_until_it_answers(std::chrono::steady_clock::time_point deadline,
                             const std::stop_token& stop);
  // The lines of its log, kProblemsMax at most, that say that it answers without some of the data.
  std::vector<std::string> problems() const;
  static constexpr size_t kProblemsMax = 10;
  // Throws: InfluxdEndedError when it does not run any more.
  void require_running();

 private:
  std::string last_lines() const;
  const std::filesystem::path log_;
  const uint16_t port_;
  const std::chrono::seconds patience_;  // with its end
  Child child_;
};

}  // namespace tsmfs::cli
