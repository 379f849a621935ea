// Times in order, each once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace tsmfs::snapshot {

// Puts them in order, each once; whether they were so.
inline bool put_in_order(std::vector<int64_t>& times) {
  if (std::ranges::adjacent_find(times, std::greater_equal()) == times.end()) return true;
  std::ranges::sort(times);
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return false;
}

}  // namespace tsmfs::snapshot
