// Takes what is damaged out of the way, and keeps every snapshot readable but for the lost bytes.
//
// A file of which bytes are lost keeps a lossy recipe: its runs there name the pack that is gone,
// the others read. It counts as not stored, so the next backup that meets it stores it whole, which
// heals it in all snapshots, since trees name files and not recipes.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/codec/frame_codec.h"
#include "index/repository/repository.h"
#include "index/rewrite/pack_repair.h"

namespace tsmfs::snapshot {

struct RepairOptions {
  bool dry_run = false;
  index::Compression compression;
  std::function<void(const std::string&)> on_step;  // what is being done, for a person
};

struct RepairReport {
  std::vector<index::DamagedPack> packs;  // moved to quarantine/packs/
  std::vector<std::string> manifests;     // moved to quarantine/snapshots/, one message each
  // Moved to quarantine/amendments/, one message each; what they amend is pinned, if not amended
  // since.
  std::vector<std::string> amendments;
  size_t healed = 0;  // files that got bytes back that were lost before
  // What snapshots still lack afterwards; with dry_run what they lack already, beside what damaged
  // packs will cost.
  size_t lossy_files = 0;               // files of which bytes are lost
  std::vector<std::string> unreadable;  // directories, one message each
};

// What is lost stays lost until a later backup brings the same content: a file that is stored again
// is whole again in every snapshot; a chunk that came back in another file is found by the next
// repair. Requires: `repository` was opened for writing. A crash at any point loses nothing.
// Throws: IoError, Cancelled; UsageError, with nothing changed, when a newer tsmfs has written
// something: that is not damaged.
RepairReport repair_repository(index::Repository& repository, const RepairOptions& options,
                               const std::stop_token& stop);

}  // namespace tsmfs::snapshot
