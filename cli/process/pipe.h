// Both ends of a pipe.
#pragma once

#include "index/base/file.h"

namespace tsmfs::cli {

struct Pipe {
  Pipe();          // throws: IoError
  Fd read, write;  // closed in programs that are run
};

}  // namespace tsmfs::cli
