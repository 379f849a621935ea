// What a rehearsal found, for a person or as JSON.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "snapshot/model/catalog.h"
#include "snapshot/rehearse/live_comparison.h"

namespace tsmfs::cli {

struct RehearsalOutcome {
  snapshot::SnapshotPtr snapshot;
  std::string influxd;  // version
  snapshot::Rehearsal rehearsal;
  std::vector<snapshot::Problem> problems;  // of the snapshot's files
  std::optional<snapshot::LiveComparison> live;
  std::string error;  // why it did not end; empty when it did
  double seconds = 0;

  std::vector<snapshot::Difference> differences() const;
  bool sound() const;
};

void print_rehearsal_json(std::ostream& out, const RehearsalOutcome& outcome);
// Problems go to `err`.
void print_rehearsal(std::ostream& out, std::ostream& err, const RehearsalOutcome& outcome);

}  // namespace tsmfs::cli
