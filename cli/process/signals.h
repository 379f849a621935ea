// SIGINT, SIGTERM and SIGHUP as a request to stop, and writes to a closed pipe as errors.
#pragma once

#include <signal.h>

#include <stop_token>
#include <thread>

#include "index/base/file.h"

namespace tsmfs::cli {

// Made first thing in main(), before there are threads: the signals are blocked in all of them, and
// one thread waits for them. The second signal ends the process at once. A signal that the process
// was started to ignore (by nohup, or SIGINT by a script that runs it in the background) stays
// ignored.
class SignalWatch {
 public:
  // Throws: IoError.
  SignalWatch();
  ~SignalWatch();
  std::stop_token token() const { return source_.get_token(); }

 private:
  void watch();
  sigset_t signals_{};
  Fd arrived_, ended_;  // a signalfd; an eventfd of the destructor
  std::stop_source source_;
  std::jthread thread_;
};

}  // namespace tsmfs::cli
