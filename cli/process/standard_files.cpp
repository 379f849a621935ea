#include "cli/process/standard_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "index/base/error.h"
#include "index/base/file.h"

namespace tsmfs::cli {

void hold_standard_files() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) >= 0 || errno != EBADF) continue;
    // Lower numbers are taken, so that this one is given.
    Fd held = open_if_exists("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (held.number() == standard) held.release();
  }
}

}  // namespace tsmfs::cli
