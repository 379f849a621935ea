#include "cli/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>

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

SignalWatch::~SignalWatch() = default;

void SignalWatch::watch(std::stop_token end) {
  const sigset_t signals = stop_signals();
  const timespec pause{0, 100'000'000};
  while (!end.stop_requested()) {
    if (sigtimedwait(&signals, nullptr, &pause) < 0) continue;
    if (source_.stop_requested()) ::_exit(kInterruptedStatus);
    source_.request_stop();
  }
}

void unblock_signals() {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace tsmfs::cli
