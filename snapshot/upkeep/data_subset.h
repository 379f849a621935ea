// Which packs a check reads, when it does not read all.
#pragma once

#include <cstdint>
#include <string_view>

#include "index/format/digest.h"

namespace tsmfs::snapshot {

// A part of the packs, to spread the reading of a large repository over many runs.
struct DataSubset {
  // "2/5": the second of five parts, the same at each run; "10%": some, others at each run. Throws:
  // UsageError.
  static DataSubset parse(std::string_view text);
  bool takes(const index::PackId& id) const;

  uint32_t part = 1, parts = 1;  // 1 <= part <= parts <= 256
  double share = 1;              // 0 to 1
  uint64_t seed = 0;             // of the choice by share
};

}  // namespace tsmfs::snapshot
