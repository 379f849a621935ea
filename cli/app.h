// The whole program behind main(): parses a command line and runs the command.
#pragma once

#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/process/exit_code.h"

namespace tsmfs::cli {

// `arguments` are those behind the program's name. Never throws; messages have been written when it
// returns.
ExitCode run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err,
             std::stop_token stop);

}  // namespace tsmfs::cli
