// What `tsmfs restore` into directories tells a person: what it would do, how far it is, and what
// it did.
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>

#include "cli/output/progress.h"
#include "snapshot/restore/restore_offline.h"

namespace tsmfs::cli {

// Thread safe but for the live line's begin and end. Requires: streams, request and result outlive
// it.
class OfflineReport {
 public:
  struct Streams {
    std::ostream& out;  // results
    std::ostream& err;  // messages
    bool quiet = false;
  };
  OfflineReport(const Streams& streams, const snapshot::OfflineRequest& request,
                const snapshot::OfflineResult& result);

  snapshot::RestoreProgress& progress() { return progress_; }
  // Warnings, and what would be done, or else the live line from now on.
  void planned();
  void shard(const snapshot::RestoredShard& restored);
  // It ended with an error: what is in place.
  void cut_short();
  void result();

 private:
  std::string line() const;
  void print_plan() const;
  void print_skipped() const;

  Streams to_;
  const snapshot::OfflineRequest& request_;
  const snapshot::OfflineResult& result_;
  std::chrono::steady_clock::time_point begin_;
  snapshot::RestoreProgress progress_;
  std::optional<Progress> live_;  // last: its thread looks at the rest
};

}  // namespace tsmfs::cli
