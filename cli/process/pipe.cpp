#include "cli/process/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include "index/base/error.h"

namespace tsmfs::cli {

Pipe::Pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  read = Fd(ends[0]);
  write = Fd(ends[1]);
}

}  // namespace tsmfs::cli
