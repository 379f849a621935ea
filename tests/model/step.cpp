#include "tests/model/step.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace tsmfs::model {

namespace {

struct Weighted {
  Action action;
  unsigned weight;
  const char* name;
};

constexpr Weighted kActions[] = {
    {Action::kChange, 32, "change"},        {Action::kImport, 18, "import"},
    {Action::kBackUp, 6, "backup"},         {Action::kPin, 6, "pin or unpin"},
    {Action::kForget, 13, "forget"},        {Action::kPrune, 13, "prune"},
    {Action::kCopyThere, 5, "copy there"},  {Action::kCopyBack, 5, "copy back"},
    {Action::kRepair, 2, "repair"},         {Action::kDamage, 2, "damage and repair"},
    {Action::kRebuild, 2, "rebuild-index"}, {Action::kLoseIndex, 2, "lose the index"},
};

constexpr std::array<const char*, 6> kFaultKinds = {"kill",   "torn", "power",
                                                    "enospc", "eio",  "eioread"};
constexpr unsigned kStepsAFault = 6;
constexpr long kChangesMax = 400;  // of a step's; later ones are hit seldom

const Weighted& draw_action(Random& random) {
  unsigned sum = 0;
  for (const Weighted& one : kActions) sum += one.weight;
  unsigned at = static_cast<unsigned>(random() % sum);
  for (const Weighted& one : kActions) {
    if (at < one.weight) return one;
    at -= one.weight;
  }
  return kActions[0];
}

// As often below 10 as from 10 to 100 or so.
long draw_place(Random& random) {
  long below = 4;
  while (below < kChangesMax && random() % 4 != 0) below *= 2;
  return 1 + static_cast<long>(random() % static_cast<unsigned long>(below));
}

}  // namespace

std::vector<Step> draw_steps(Random& random, size_t count) {
  std::vector<Step> steps(count);
  for (Step& step : steps) {
    step.action = draw_action(random).action;
    step.a = static_cast<uint32_t>(random());
    step.b = static_cast<uint32_t>(random());
    step.c = static_cast<uint32_t>(random());
    const bool can_fail = step.action != Action::kChange && step.action != Action::kLoseIndex;
    if (can_fail && random() % kStepsAFault == 0)
      step.fault = {kFaultKinds[random() % kFaultKinds.size()], draw_place(random)};
  }
  return steps;
}

std::string describe(const Step& step) {
  const char* name = "";
  for (const Weighted& one : kActions)
    if (one.action == step.action) name = one.name;
  std::string text =
      fmt::format("{} ({}, {}, {})", name, step.a % 1000, step.b % 1000, step.c % 1000);
  if (step.fault.at > 0) text += fmt::format(" with {} at {}", step.fault.kind, step.fault.at);
  return text;
}

}  // namespace tsmfs::model
