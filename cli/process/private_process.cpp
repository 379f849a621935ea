#include "cli/process/private_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "cli/process/signals.h"
#include "index/base/error.h"
#include "index/base/retry_eintr.h"

namespace tsmfs::cli {

namespace {

constexpr int kPollMs = 100;         // how often a stop is looked for
constexpr int kPatienceMs = 90'000;  // longer than a server has (Child::kPatience)

[[noreturn]] void refuse_namespaces(const char* what) {
  throw_errno(
      fmt::format("cannot have {} of its own here", what),
      "run it as root, or allow users namespaces (the sysctls user.max_user_namespaces and "
      "kernel.unprivileged_userns_clone, the rules of AppArmor or of the container); --copy "
      "needs none, and copies the data");
}

void write_map(const char* file, const std::string& text) {
  write_all(open_file(file, O_WRONLY), as_bytes(text), file);
}

// Of the children that are forked from now on; of this process the users. Everybody keeps the
// numbers that they have.
void unshare_users_and_processes() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare((user == 0 ? 0 : CLONE_NEWUSER) | CLONE_NEWPID) != 0)
    refuse_namespaces("users and processes");
  if (user == 0) return;
  write_map("/proc/self/setgroups", "deny");
  write_map("/proc/self/uid_map", fmt::format("{0} {0} 1", user));
  write_map("/proc/self/gid_map", fmt::format("{0} {0} 1", group));
}

// True when `fd` is at its end, or has something to read, within `ms`.
bool readable(const Fd& fd, int ms) {
  pollfd wait{fd.number(), POLLIN, 0};
  return ::poll(&wait, 1, ms) > 0;
}

int wait_for(pid_t child) {
  int status = 0;
  retry_eintr([&] { return ::waitpid(child, &status, 0); });
  return status;
}

// The inner process. Never returns.
[[noreturn]] void live(const PrivateProcess::Work& work, Namespaces namespaces, const Pipe& start,
                       const Fd& ready) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte = 0;  // the keeper lives
  if (retry_eintr([&] { return ::read(start.read.number(), &byte, 1); }) != 1) ::_exit(1);
  ExitCode code = ExitCode::kFailed;
  {
    SignalWatch signals;
    try {
      if (namespaces == Namespaces::kPrivate) enter_private_mounts();
      code = work.run(signals.token(), [&] {
        write_all(ready, as_bytes(std::string_view("\n")), "the pipe to the parent");
      });
    } catch (...) {
      code = report(std::current_exception(), work.err);
    }
  }
  work.err.flush();
  std::fflush(nullptr);
  ::_exit(static_cast<int>(code));
}

}  // namespace

void enter_private_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) refuse_namespaces("mounts");
  // What is mounted elsewhere still comes in; nothing goes out.
  if (::mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    throw_errno("cannot keep mounts to itself");
}

PrivateProcess::PrivateProcess(Work work, Namespaces namespaces) {
  work.err.flush();
  std::fflush(nullptr);
  const pid_t self = ::getpid();
  keeper_ = ::fork();
  if (keeper_ < 0) throw_errno("cannot start a process");
  if (keeper_ == 0) {
    life_.write.reset();
    keep(work, namespaces, std::move(life_.read), self);
  }
  life_.read.reset();
  ready_.write.reset();
}

// In a session of its own: what the terminal sends is for the process above.
void PrivateProcess::keep(const Work& work, Namespaces namespaces, Fd life, pid_t parent) {
  ::setsid();
  ready_.read.reset();
  try {
    Pipe start, inner_life;
    if (namespaces == Namespaces::kPrivate) unshare_users_and_processes();
    const pid_t inner = ::fork();
    if (inner < 0) throw_errno("cannot start a process");
    if (inner == 0) {
      life.reset();
      start.write.reset();
      inner_life.read.reset();
      live(work, namespaces, start, ready_.write);
    }
    ready_.write.reset();
    inner_life.write.reset();
    write_all(start.write, as_bytes(std::string_view("\n")), "a pipe");
    pollfd ends[] = {{life.number(), POLLIN, 0}, {inner_life.read.number(), POLLIN, 0}};
    while (::poll(ends, 2, -1) < 0) {
    }
    if (ends[0].revents != 0) {
      ::kill(inner, SIGTERM);
      if (!readable(inner_life.read, kPatienceMs)) ::kill(inner, SIGKILL);
    }
    const int status = wait_for(inner);
    if (::getppid() != parent) work.clean_up();  // nobody else will
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ExitCode::kFailed));
  } catch (...) {
    const ExitCode code = report(std::current_exception(), work.err);
    work.err.flush();
    ::_exit(static_cast<int>(code));
  }
}

PrivateProcess::~PrivateProcess() {
  end();
}

bool PrivateProcess::wait_ready(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!readable(ready_.read, kPollMs)) continue;
    char byte = 0;
    const auto got = retry_eintr([&] { return ::read(ready_.read.number(), &byte, 1); });
    ended_ = got <= 0;
    return got == 1;
  }
  return false;
}

bool PrivateProcess::wait_ended(const std::stop_token& stop, int patience_ms) {
  while (!ended_ && !stop.stop_requested() && patience_ms != 0) {
    const int wait = patience_ms < 0 ? kPollMs : std::min(kPollMs, patience_ms);
    if (patience_ms > 0) patience_ms -= wait;
    ended_ = readable(ready_.read, wait);
  }
  return ended_;
}

ExitCode PrivateProcess::end() {
  if (keeper_ < 0) return status_;
  life_.write.reset();
  const int status = wait_for(std::exchange(keeper_, -1));
  if (WIFEXITED(status)) status_ = static_cast<ExitCode>(WEXITSTATUS(status));
  return status_;
}

}  // namespace tsmfs::cli
