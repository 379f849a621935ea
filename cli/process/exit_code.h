// The exit status of every command, as README.md documents it.
#pragma once

#include <exception>
#include <iosfwd>

namespace tsmfs::cli {

enum class ExitCode : int {
  kOk = 0,
  kDamaged = 1,        // stored or received data are damaged
  kUsage = 2,          // the command line makes no sense
  kIncomplete = 3,     // the snapshot was kept, or restored, but not all that was asked for
  kFailed = 4,         // an input or output error, or any other failure
  kServer = 5,         // the server cannot be reached, or does not speak the snapshot protocol
  kNoRepository = 10,  // as restic
  kLocked = 11,        // as restic
  kInUse = 12,         // what is mounted is in use
  kTaken = 13,         // nothing was imported: there is a snapshot of the time that was given
  kInterrupted = 130,  // 128 + SIGINT
};

// Tells the person what happened and what to do, and says how to exit.
ExitCode report(std::exception_ptr error, std::ostream& err);

}  // namespace tsmfs::cli
