#include "cli/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace tsmfs::cli {

namespace {

constexpr int kInterruptedStatus = 130;

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

SignalWatch::SignalWatch() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::jthread([this](std::stop_token end) { watch(std::move(end)); });
}

SignalWatch::~SignalWatch() {
  thread_.request_stop();
  // Wakes the thread at once; it takes the signal for what it is, since the stop was requested
  // first.
  pthread_kill(thread_.native_handle(), SIGHUP);
}

void SignalWatch::watch(std::stop_token end) {
  const sigset_t signals = stop_signals();
  while (!end.stop_requested()) {
    if (sigwaitinfo(&signals, nullptr) < 0) continue;
    if (end.stop_requested()) return;
    if (source_.stop_requested()) ::_exit(kInterruptedStatus);
    source_.request_stop();
  }
}

void unblock_signals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace tsmfs::cli
