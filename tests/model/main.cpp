// Random histories of repositories against a model in memory.
//
//   tsmfs_model [--seconds S] [--seed N] [--rounds R] [--steps M]
//
// Runs rounds of M steps with the seeds N, N+1, … until S seconds are over or R rounds are done. A
// round that fails is shrunk and printed; its seed alone repeats it. Steps with faults need
// tests/crash/fault_shim: its path is in TSMFS_FAULT_SHIM.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <limits>

#include "tests/model/child.h"
#include "tests/model/model.h"

namespace {

using namespace tsmfs::model;
using Clock = std::chrono::steady_clock;

constexpr int kShrinkSeconds = 120;

// Starts the program again with the shim, which a program cannot load into itself.
void preload_faults(char** arguments) {
  const char* shim = std::getenv("TSMFS_FAULT_SHIM");
  if (!shim || faults_can_be_armed()) return;
  if (std::getenv("TSMFS_MODEL_PRELOADED")) {
    fmt::print(stderr, "tsmfs_model: {} cannot be preloaded\n", shim);
    std::exit(2);
  }
  ::setenv("LD_PRELOAD", shim, 1);
  ::setenv("TSMFS_MODEL_PRELOADED", "1", 1);
  ::execv("/proc/self/exe", arguments);
}

int report_finding(uint64_t seed, const std::vector<Step>& steps, const std::string& what) {
  fmt::print("seed {}: {}\nshrinking…\n", seed, what);
  std::fflush(stdout);
  const std::vector<Step> fewer = shrink(steps, seed, kShrinkSeconds);
  fmt::print("seed {}: FAILED: {}\nits steps:\n", seed,
             run_steps(fewer, seed).value_or("only at times; " + what));
  for (size_t i = 0; i < fewer.size(); ++i) fmt::print("  {:3} {}\n", i + 1, describe(fewer[i]));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seed = static_cast<uint64_t>(std::time(nullptr)),
           rounds = std::numeric_limits<uint64_t>::max();
  int seconds = 40;
  size_t steps_a_round = 40;
  CLI::App app("Random histories of repositories against a model in memory");
  app.add_option("--seconds", seconds, "No round begins later")->capture_default_str();
  app.add_option("--seed", seed, "Of the first round; without it, the time");
  app.add_option("--rounds", rounds, "No more than these");
  app.add_option("--steps", steps_a_round, "Of a round")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  preload_faults(argv);
  fmt::print("model: from seed {}, {} faults\n", seed, faults_can_be_armed() ? "with" : "without");
  std::fflush(stdout);
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  uint64_t done = 0;
  for (; done < rounds && Clock::now() < end; ++done) {
    Random random(seed + done);
    std::vector<Step> steps = draw_steps(random, steps_a_round);
    if (!faults_can_be_armed())
      for (Step& step : steps) step.fault = {};
    if (const auto what = run_steps(steps, seed + done))
      return report_finding(seed + done, steps, *what);
  }
  fmt::print("model: seeds {} to {}, {} steps: no finding\n", seed, seed + done - 1,
             done * steps_a_round);
}
