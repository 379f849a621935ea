#include "cli/serve/influxd_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/process/reserved_port.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "index/base/log.h"

namespace tsmfs::cli {

namespace {

constexpr auto kAnswerInterval = std::chrono::milliseconds(10);
constexpr std::chrono::seconds kPatienceWhenThrownAway{5};
constexpr auto kSilence = std::chrono::seconds(15);  // after which a person is told
constexpr uint64_t kLinesBytesMax = 16 << 10;
constexpr size_t kLinesMax = 8;
constexpr uint64_t kLogBytesMax = 64 << 20;
// What influxd says, and then goes on.
constexpr std::string_view kLessData[] = {"ailed to open shard", "annot read corrupt"};

Program program_of(const InfluxdProgram& influxd, const ServedPlace& place, const Fd& log) {
  Program program;
  program.words = {influxd.path.string(), "run", "-config", place.config().string()};
  // Variables of influxd's own count for more than its configuration does.
  program.environment = environment_without({"INFLUXDB_"});
  program.output = log.number();
  return program;
}

Fd new_log(const ServedPlace& place, const InfluxdSettings& settings) {
  const Fd config = open_file(place.config(), O_WRONLY | O_CREAT | O_TRUNC);
  write_all(config, as_bytes(influxd_config(place, settings)), place.config());
  return open_file(place.log(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
}

}  // namespace

InfluxdServer::InfluxdServer(const InfluxdProgram& program, const ServedPlace& place,
                             const InfluxdSettings& settings)
    : log_(place.log()),
      port_(settings.http.port),
      patience_(place.is_kept() ? Child::kPatience : kPatienceWhenThrownAway),
      child_(program_of(program, place, new_log(place, settings))) {}

InfluxdServer::~InfluxdServer() {
  child_.end(patience_);
}

// It listens when it has opened all shards.
void InfluxdServer::wait_until_it_answers(std::chrono::steady_clock::time_point deadline,
                                          const std::stop_token& stop) {
  auto word = std::chrono::steady_clock::now() + kSilence;
  while (!accepts_connections(port_)) {
    require_running();
    if (std::chrono::steady_clock::now() >= deadline)
      throw InfluxdEndedError("influxd does not answer; the last lines of its log:\n" +
                              last_lines());
    if (std::chrono::steady_clock::now() >= word) {
      log::info("influxd opens its shards, and does not answer yet; the last lines of its log:\n{}",
                last_lines());
      word += kSilence;
    }
    if (stop.stop_requested()) throw Cancelled();
    std::this_thread::sleep_for(kAnswerInterval);
  }
  require_running();
}

void InfluxdServer::require_running() {
  if (const auto ending = child_.ended())
    throw InfluxdEndedError(
        fmt::format("influxd {}; the last lines of its log:\n{}", ending->text(), last_lines()));
}

std::vector<std::string> InfluxdServer::problems() const {
  std::vector<std::string> problems;
  const Fd log = open_file(log_, O_RDONLY);
  std::string text(std::min(file_size(log, log_), kLogBytesMax), '\0');
  pread_exactly(log, 0, std::as_writable_bytes(std::span(text)), log_);
  std::istringstream lines(std::move(text));
  for (std::string line; problems.size() < kProblemsMax && std::getline(lines, line);)
    if (std::ranges::any_of(kLessData,
                            [&](auto what) { return line.find(what) != std::string::npos; }))
      problems.push_back(line);
  return problems;
}

std::string InfluxdServer::last_lines() const {
  const Fd log = open_file(log_, O_RDONLY);
  const uint64_t size = file_size(log, log_);
  std::string text(std::min(size, kLinesBytesMax), '\0');
  pread_exactly(log, size - text.size(), std::as_writable_bytes(std::span(text)), log_);
  while (text.ends_with('\n')) text.pop_back();
  size_t begin = text.size();
  for (size_t lines = 0; lines < kLinesMax && begin != std::string::npos && begin > 0; ++lines)
    begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

}  // namespace tsmfs::cli
