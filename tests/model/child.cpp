#include "tests/model/child.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "index/base/error.h"

namespace tsmfs::model {

namespace {

constexpr int kSecondsMax = 120;
enum ExitStatus { kEnded = 0, kThrew = 1 };

using Arm = void (*)(const char* root, const char* shadow, const char* kind, long at);

Arm find_arm() {
  return reinterpret_cast<Arm>(::dlsym(RTLD_DEFAULT, "tsmfs_fault_arm"));
}

[[noreturn]] void be_child(const std::function<void(const Answer&)>& work, const Fault& fault,
                           const std::string& root, const std::string& log, int answer_fd) {
  const int log_fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(log_fd, STDERR_FILENO);
  if (fault.at > 0) {
    const std::string shadow = root + ".shadow";
    std::filesystem::remove_all(shadow);
    std::filesystem::create_directory(shadow);
    find_arm()(root.c_str(), shadow.c_str(), fault.kind, fault.at);
  }
  std::string text;
  int status = kEnded;
  try {
    work([&](const std::string& line) { text += line + "\n"; });
  } catch (const std::exception& error) {
    text = error.what();
    status = kThrew;
  }
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(answer_fd, text.data() + done, text.size() - done);
    if (count <= 0) break;
    done += static_cast<size_t>(count);
  }
  ::_exit(status);
}

// All that comes until the other end is closed; false when that takes too long.
bool read_all(int fd, std::string& text) {
  char buffer[65536];
  while (true) {
    pollfd waiting{fd, POLLIN, 0};
    if (::poll(&waiting, 1, kSecondsMax * 1000) <= 0) return false;
    const ssize_t count = ::read(fd, buffer, sizeof buffer);
    if (count <= 0) return true;
    text.append(buffer, static_cast<size_t>(count));
  }
}

}  // namespace

bool faults_can_be_armed() {
  return find_arm() != nullptr;
}

Outcome run_in_child(const std::function<void(const Answer&)>& work, const Fault& fault,
                     const std::string& root, const std::string& log) {
  if (fault.at > 0 && !faults_can_be_armed())
    throw std::runtime_error("no fault_shim is preloaded");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  const pid_t child = ::fork();
  if (child < 0) throw_errno("cannot fork");
  if (child == 0) {
    ::close(ends[0]);
    be_child(work, fault, root, log, ends[1]);
  }
  ::close(ends[1]);
  Outcome outcome;
  std::string text;
  if (!read_all(ends[0], text)) {
    ::kill(child, SIGKILL);
    outcome.crash = fmt::format("no end after {} s", kSecondsMax);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!outcome.crash.empty()) return outcome;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && fault.at > 0) {
    outcome.killed = true;
  } else if (WIFSIGNALED(status)) {
    outcome.crash = fmt::format("signal {}", WTERMSIG(status));
  } else if (WEXITSTATUS(status) == kThrew) {
    outcome.failure = text.empty() ? "an error without words" : text;
  } else {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) outcome.lines.push_back(line);
  }
  return outcome;
}

}  // namespace tsmfs::model
