// Holds a past server against the live one, where the live one has the same data still.
#pragma once

#include <vector>

#include "index/base/timestamp.h"
#include "snapshot/rehearse/rehearsal.h"

namespace tsmfs::snapshot {

struct LiveComparison {
  uint64_t shards = 0;                  // that were compared
  std::vector<Difference> differences;  // `stored` is what the past server answers
};

// Counts, on both, the points of each measurement in the shards whose time was over when the
// snapshot was taken, and that the live server still has. A point that was written, or deleted, so
// late that it is in none of them is a difference. Throws: ProtocolError, Cancelled.
LiveComparison compare_with_live(QueryClient& past, QueryClient& live,
                                 const RehearsalRequest& request, Timestamp taken);

}  // namespace tsmfs::snapshot
