// What this machine remembers of rehearsals: that a backup boots and answers is worth knowing, and
// how long ago that was seen.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "index/base/timestamp.h"
#include "index/format/digest.h"
#include "index/storage/local_state.h"

namespace tsmfs::snapshot {

enum class Verdict {
  kSound,       // it boots, and answers all that the snapshot holds
  kIncomplete,  // the same of a snapshot that lacks something that its server had
  kUnsound
};
// "sound", "INCOMPLETE", "NOT sound"
std::string_view verdict_text(Verdict verdict);

struct RehearsalRecord {
  Timestamp time;  // when it ended
  Verdict verdict = Verdict::kUnsound;
  std::string influxd;  // version
  std::string extent;   // of what of it; empty: all
  uint64_t points = 0;
};

// The last one of all of a snapshot, and the last one of a part of it: what was seen of a part says
// nothing of the rest.
struct RehearsalsOfSnapshot {
  std::optional<RehearsalRecord> whole, part;
};

// One that cannot be read counts as none. Throws: IoError when the folder cannot be looked at.
std::map<index::SnapshotId, RehearsalsOfSnapshot> read_rehearsals(const index::LocalState& local);
// Takes the place of an earlier one of its kind; those of snapshots that are not among `kept` go.
// Throws: IoError; BusyError when another process does not come to an end with it.
void note_rehearsal(const index::LocalState& local, const index::SnapshotId& snapshot,
                    const RehearsalRecord& record, const std::set<index::SnapshotId>& kept);

// "rehearsed 2 days ago: sound"
std::string describe(const RehearsalRecord& record, Timestamp now);

}  // namespace tsmfs::snapshot
