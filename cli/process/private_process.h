// A part of a command in a process of its own, which can have mounts and programs of its own: they
// are seen nowhere else, and end with it, whatever is killed.
//
//   tsmfs               this process
//   └ the keeper        sees to it that the one below ends, and cleans up, if this one is killed
//     └ the inner one   first of a PID namespace, in a mount namespace, and in a user namespace
//     when
//                       the user is not root; killed when the keeper is
#pragma once

#include <sys/types.h>

#include <functional>
#include <iosfwd>
#include <stop_token>

#include "cli/process/exit_code.h"
#include "cli/process/pipe.h"

namespace tsmfs::cli {

enum class Namespaces {
  kPrivate,
  kNone,  // what the inner process mounts and starts is its own to end
};

// Not thread safe.
class PrivateProcess {
 public:
  struct Work {
    std::ostream& err;  // where what fails is reported
    // In the inner process. The token asks it to end; on_ready() says that it can be used. What it
    // throws is reported. What it printed it has to flush.
    std::function<ExitCode(const std::stop_token& stop, const std::function<void()>& on_ready)> run;
    // In the keeper, when the inner one has ended and this process was killed.
    std::function<void()> clean_up;
  };

  // Forks, so nothing may have been opened that does not survive it. Throws: IoError.
  PrivateProcess(Work work, Namespaces namespaces);
  PrivateProcess(const PrivateProcess&) = delete;
  PrivateProcess& operator=(const PrivateProcess&) = delete;
  // As end().
  ~PrivateProcess();

  // Waits until it is ready; false when it has ended, or a stop was requested.
  bool wait_ready(const std::stop_token& stop);
  // Waits until it has ended, or a stop was requested, for `patience_ms` at most. True when it has.
  bool wait_ended(const std::stop_token& stop, int patience_ms = -1);
  // Asks it to end, and waits until it has: all that it had is gone then. Its status.
  ExitCode end();

 private:
  [[noreturn]] void keep(const Work& work, Namespaces namespaces, Fd life, pid_t parent);

  Pipe life_;   // closed at this end: the inner process is to end
  Pipe ready_;  // a byte of the inner process; its end when that has ended
  pid_t keeper_ = -1;
  bool ended_ = false;  // all of `ready_` was read
  ExitCode status_ = ExitCode::kFailed;
};

// Throws: Error, saying what can be done, when a user may not have namespaces here.
void enter_private_mounts();

}  // namespace tsmfs::cli
