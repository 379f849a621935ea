// What `tsmfs backup` tells of its progress and its result: to a person, or as JSON, one object a
// line.
#pragma once

#include <chrono>
#include <iosfwd>

#include "cli/output/progress.h"
#include "snapshot/backup/back_up.h"

namespace tsmfs::cli {

enum class ReportForm { kPerson, kQuiet, kJson };

// Thread safe. Messages go to `err`, results and JSON to `out`.
class BackupReport {
 public:
  BackupReport(std::ostream& out, std::ostream& err, ReportForm form);
  snapshot::CaptureProgress& progress() { return progress_; }
  // The live line, from now on.
  void begin();
  void shard(const snapshot::ShardReport& report);
  // `with_since`: only changes were asked for.
  void result(const snapshot::BackupResult& result, bool with_since);

 private:
  void print_object(const snapshot::Captured& captured);
  void print_person(const snapshot::Captured& captured, bool with_since);
  std::string line() const;
  std::ostream& out_;
  std::ostream& err_;
  ReportForm form_;
  std::chrono::steady_clock::time_point begin_;
  snapshot::CaptureProgress progress_;
  std::atomic<uint64_t> new_bytes_ = 0;
  std::optional<Progress> live_;  // last: its thread looks at the rest
};

}  // namespace tsmfs::cli
