// A map in memory of what repositories must hold, through any sequence of steps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/model/step.h"

namespace tsmfs::model {

// Carries out the steps on new repositories and compares after each of them. What was found wrong,
// if anything.
std::optional<std::string> run_steps(const std::vector<Step>& steps, uint64_t seed);

// Fewer steps that fail too, tried for so many seconds.
std::vector<Step> shrink(std::vector<Step> steps, uint64_t seed, int seconds);

}  // namespace tsmfs::model
