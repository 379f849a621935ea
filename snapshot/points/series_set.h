// Different series of any number of shards, 16 bytes each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "snapshot/points/shard_points.h"

namespace tsmfs::snapshot {

// Not thread safe.
class SeriesSet {
 public:
  void add(const std::vector<SeriesId>& series) {
    ids_.insert(ids_.end(), series.begin(), series.end());
    // Shards have much the same series: what is added is as much again as is known, at most.
    if (ids_.size() > 2 * known_ + kSlack) tidy();
  }
  size_t size() {
    tidy();
    return known_;
  }

 private:
  static constexpr size_t kSlack = 1 << 16;
  void tidy() {
    std::ranges::sort(ids_);
    ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
    known_ = ids_.size();
  }
  std::vector<SeriesId> ids_;
  size_t known_ = 0;
};

}  // namespace tsmfs::snapshot
