// SIGINT, SIGTERM and SIGHUP as a request to stop, and writes to a closed pipe as errors.
#pragma once

#include <stop_token>
#include <thread>

namespace tsmfs::cli {

// Made first thing in main(), before there are threads: the signals are blocked in all of them, and
// one thread waits for them. The second signal ends the process at once. A child process has no
// such thread: it calls unblock_signals() and sets handlers.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  std::stop_token token() const { return source_.get_token(); }

 private:
  void watch(std::stop_token end);
  std::stop_source source_;
  std::jthread thread_;
};

// Gives the signals their default effect again in the calling thread, and in the threads and
// processes it starts from now on.
void unblock_signals();

}  // namespace tsmfs::cli
