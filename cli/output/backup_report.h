// What `tsmfs backup` tells of its progress and its result: to a person, or as JSON, one object a
// line.
#pragma once

#include <chrono>
#include <iosfwd>

#include "cli/output/progress.h"
#include "snapshot/backup/capture.h"

namespace tsmfs::cli {

enum class ReportForm { kPerson, kQuiet, kJson };

// Thread safe. Messages go to `err`, results and JSON to `out`.
class BackupReport {
 public:
  BackupReport(std::ostream& out, std::ostream& err, ReportForm form);
  snapshot::CaptureProgress& progress() { return progress_; }
  void shard(const snapshot::ShardReport& report);
  // `with_since`: only changes were asked for.
  void result(const snapshot::Captured& captured, bool with_since);

 private:
  std::string line() const;
  std::ostream& out_;
  std::ostream& err_;
  ReportForm form_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  snapshot::CaptureProgress progress_;
  std::atomic<uint64_t> new_bytes_ = 0;
  std::optional<Progress> live_;  // last: its thread looks at the rest
};

}  // namespace tsmfs::cli
