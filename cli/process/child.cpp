#include "cli/process/child.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <thread>

#include "cli/process/pipe.h"
#include "index/base/error.h"
#include "index/base/retry_eintr.h"

namespace tsmfs::cli {

namespace {

constexpr auto kEndInterval = std::chrono::milliseconds(10);
constexpr size_t kOutputBytesMax = size_t{1} << 20;
constexpr int kOutputPatienceMs = 30'000;  // for each piece of it

// As exec wants a list of words. Good as long as the words.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

// Between fork and exec of a process that may have threads: system calls only. Returns when the
// program cannot be run.
void become(const Program& program, char* const* words, char* const* environment, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (parent > 0 && ::getppid() != parent) ::_exit(1);  // it died before that
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  if (program.output >= 0)
    for (const int standard : {STDOUT_FILENO, STDERR_FILENO})
      if (::dup2(program.output, standard) < 0) return;
  ::execvpe(words[0], words, environment);
}

}  // namespace

int Ending::shell_status() const {
  constexpr int kSignalled = 128;
  return WIFSIGNALED(status_) ? kSignalled + WTERMSIG(status_) : WEXITSTATUS(status_);
}

std::string Ending::text() const {
  return WIFSIGNALED(status_) ? fmt::format("was killed by signal {}", WTERMSIG(status_))
                              : fmt::format("ended with status {}", WEXITSTATUS(status_));
}

Child::Child(const Program& program) {
  std::vector<std::string> words = program.words;
  std::vector<std::string> values = program.environment.value_or(std::vector<std::string>());
  const std::vector<char*> arguments = pointers(words), environment = pointers(values);
  Pipe failure;  // says the errno of what kept the program from being run; closed by exec
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0) throw_errno("cannot start a process");
  if (process_ == 0) {
    become(program, arguments.data(), program.environment ? environment.data() : environ, parent);
    const int error = errno;
    if (::write(failure.write.number(), &error, sizeof error) < 0) ::_exit(1);
    ::_exit(1);
  }
  failure.write.reset();
  int error = 0;
  if (retry_eintr([&] { return ::read(failure.read.number(), &error, sizeof error); }) <= 0) return;
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
  throw IoError("cannot run " + program.words.at(0), error);
}

Child::~Child() {
  if (process_ > 0 && !ended()) end();
}

std::optional<Ending> Child::ended() {
  int status = 0;
  if (!ending_ && ::waitpid(process_, &status, WNOHANG) == process_) ending_ = Ending(status);
  return ending_;
}

Ending Child::wait() {
  int status = 0;
  if (!ending_ && retry_eintr([&] { return ::waitpid(process_, &status, 0); }) == process_)
    ending_ = Ending(status);
  return ending_.value();
}

void Child::signal(int number) {
  if (!ended()) ::kill(process_, number);
}

Ending Child::end(std::chrono::milliseconds patience) {
  signal(SIGTERM);
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (bool killed = false; !ended(); std::this_thread::sleep_for(kEndInterval)) {
    if (killed || std::chrono::steady_clock::now() < give_up) continue;
    signal(SIGKILL);
    killed = true;
  }
  return *ending_;
}

std::vector<std::string> environment_without(const std::vector<std::string>& beginnings) {
  std::vector<std::string> kept;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (std::ranges::none_of(beginnings, [&](const std::string& beginning) {
          return std::string_view(*variable).starts_with(beginning);
        }))
      kept.emplace_back(*variable);
  return kept;
}

std::string output_of(const std::vector<std::string>& words) {
  Pipe pipe;
  Child child({words, {}, pipe.write.number()});
  pipe.write.reset();
  std::string said;
  char piece[4096];
  for (;;) {
    pollfd wait{pipe.read.number(), POLLIN, 0};
    if (retry_eintr([&] { return ::poll(&wait, 1, kOutputPatienceMs); }) == 0)
      throw Error(words.at(0) + " neither says anything nor ends");
    const auto got = retry_eintr([&] { return ::read(pipe.read.number(), piece, sizeof piece); });
    if (got <= 0 || said.size() > kOutputBytesMax) break;
    said.append(piece, static_cast<size_t>(got));
  }
  const Ending ending = child.wait();
  if (ending.shell_status() != 0)
    throw Error(fmt::format("{} {}: {}", words.at(0), ending.text(), said));
  return said;
}

}  // namespace tsmfs::cli
