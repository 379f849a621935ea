#include <iostream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/process/mount_helper.h"
#include "cli/process/signals.h"
#include "cli/process/standard_files.h"

int main(int argc, char** argv) {
  tsmfs::cli::hold_standard_files();
  tsmfs::cli::SignalWatch signals;
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (tsmfs::cli::is_mount_helper(argv[0]))
    arguments = tsmfs::cli::mount_helper_arguments(arguments);
  const auto code = tsmfs::cli::run(arguments, std::cout, std::cerr, signals.token());
  return static_cast<int>(code);
}
