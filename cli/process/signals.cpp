#include "cli/process/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "index/base/error.h"

namespace tsmfs::cli {

namespace {

constexpr int kInterruptedStatus = 130;

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// A signal that is blocked waits to be taken even where it is ignored, so those stay out.
sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (!is_ignored(signal)) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

SignalWatch::SignalWatch()
    : signals_(stop_signals()),
      arrived_(::signalfd(-1, &signals_, SFD_CLOEXEC)),
      ended_(::eventfd(0, EFD_CLOEXEC)) {
  if (!arrived_ || !ended_) throw_errno("cannot wait for signals");
  std::signal(SIGPIPE, SIG_IGN);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::jthread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
  ::eventfd_write(ended_.number(), 1);
}

void SignalWatch::watch() {
  for (;;) {
    pollfd entries[] = {{ended_.number(), POLLIN, 0}, {arrived_.number(), POLLIN, 0}};
    if (::poll(entries, 2, -1) < 0) continue;  // interrupted
    if (entries[0].revents != 0) return;
    signalfd_siginfo signal;
    if (::read(arrived_.number(), &signal, sizeof signal) != sizeof signal) continue;
    if (source_.stop_requested()) ::_exit(kInterruptedStatus);
    source_.request_stop();
  }
}

}  // namespace tsmfs::cli
