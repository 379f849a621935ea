// Work in a process of its own, which may die of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/model/step.h"

namespace tsmfs::model {

struct Outcome {
  bool killed = false;             // by the fault
  std::string failure;             // what the work threw; empty when it ended well
  std::string crash;               // another signal, or no end; empty for none
  std::vector<std::string> lines;  // what it answered
  bool ended_well() const { return !killed && failure.empty() && crash.empty(); }
};

// Adds a line to the answer, which is lost when the process is killed.
using Answer = std::function<void(const std::string&)>;

// Forks; the parent must have one thread. In the child, `fault` is armed for files below `root`
// before `work` begins; its log goes to `log`. Throws: std::runtime_error when there is a fault and
// no fault_shim is preloaded.
Outcome run_in_child(const std::function<void(const Answer&)>& work, const Fault& fault,
                     const std::string& root, const std::string& log);

bool faults_can_be_armed();

}  // namespace tsmfs::model
