// A rehearsal of one snapshot: boots it, asks it, holds the answers against its data and, if that
// is wanted, against a live server, and puts the result on record.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/serve/past_server.h"
#include "snapshot/rehearse/live_comparison.h"
#include "snapshot/rehearse/rehearsal_record.h"

namespace tsmfs::cli {

struct RehearsalTask {
  PastServerRequest server;              // its part is what is rehearsed
  bool complete = true;                  // the snapshot has all of that which its server had
  size_t sample = 0;                     // measurements a database, by chance; 0: all
  std::chrono::milliseconds timeout{0};  // for all of it
  std::optional<snapshot::QueryServer> live = {};  // to compare with
};

struct RehearsalOutcome {
  snapshot::SnapshotPtr snapshot;
  std::string influxd;  // version
  std::string extent;   // of what of the snapshot; empty: all
  bool complete = true;
  snapshot::Rehearsal rehearsal;
  std::vector<snapshot::Problem> problems;  // of the snapshot's files
  std::vector<std::string> warnings;
  std::string failure;     // why it could not be asked; empty when it could
  std::string unfinished;  // why nothing is known yet, and nothing on record; empty when it is
  std::optional<snapshot::LiveComparison> live;
  std::string live_failure;  // why there is none, although it was wanted
  double seconds = 0;

  // Of the snapshot: a live server has no part in it. Requires: it is finished.
  snapshot::Verdict verdict() const;
};

// Requires: as PastServer(); `deadline` of `task.server` is not used. Throws: UsageError when the
// live server is not named as one, or the part asks for what cannot be served; Cancelled when
// `stop` is requested; IoError.
RehearsalOutcome run_rehearsal(index::Repository& repository, snapshot::Catalog& catalog,
                               const ServedPlace& place, RehearsalTask task,
                               const std::stop_token& stop);

}  // namespace tsmfs::cli
