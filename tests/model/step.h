// What a model test does with repositories: steps drawn from a seed, each understandable on its
// own, so that any of them can be left out of a failing sequence.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace tsmfs::model {

enum class Action {
  kChange,     // a server's files change
  kImport,     // its data directory
  kBackUp,     // over the snapshot protocol
  kPin,        // one snapshot, or take its pin away
  kForget,     // one snapshot
  kPrune,      //
  kCopyThere,  // all snapshots that the second repository lacks
  kCopyBack,   // and the other way
  kRepair,     //
  kDamage,     // bytes of a pack change, and repair is run
  kRebuild,    // the index
  kLoseIndex,  // is deleted
};

// What goes wrong while a step is carried out, by tests/crash/fault_shim; `at` counts from 1, 0 is
// none.
struct Fault {
  const char* kind = "";
  long at = 0;
};

// The numbers choose among what is there when the step comes, whatever that is.
struct Step {
  Action action = Action::kChange;
  uint32_t a = 0, b = 0, c = 0;
  Fault fault;
};

using Random = std::mt19937_64;

std::vector<Step> draw_steps(Random& random, size_t count);
std::string describe(const Step& step);

}  // namespace tsmfs::model
