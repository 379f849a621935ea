#include <iostream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  tsmfs::cli::SignalWatch signals;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto code = tsmfs::cli::run(arguments, std::cout, std::cerr, signals.token());
  std::cout.flush();
  return static_cast<int>(code);
}
