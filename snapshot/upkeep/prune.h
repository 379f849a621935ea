// Gives back the space of what no snapshot needs any more.
//
// A walk over the tree nodes of all manifests, each once, gives the ids of what is needed
// (reachable.h); their recipes and places say which logical bytes of which packs are live. Packs
// without any are deleted, those with the largest unused share rewritten until little is left
// unused, and small packs once there are many (index/rewrite/prune_plan.h). Files and nodes that no
// snapshot needs are forgotten before the first pack goes: their recipes may lie in packs that stay
// and copy from packs that go, and the next backup of such a content would find it known, and store
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "index/codec/frame_codec.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::snapshot {

struct PruneOptions {
  double max_unused = 0.05;  // share of the packs that may stay unused afterwards, 0 to 1
  bool dry_run = false;
  // Goes on although parts of snapshots are lost. What can be reached only through those parts
  // goes.
  bool accept_loss = false;
  index::Compression compression;
  std::function<void(const std::string&)> on_step;  // what is being done, for a person
};

// Sizes are those of pack files; shares of a pack are estimated by its logical bytes.
struct PruneReport {
  size_t packs = 0;           // before
  uint64_t bytes = 0;         // of them
  uint64_t unused_bytes = 0;  // of those, what no snapshot needs
  size_t dead_packs = 0;      // deleted as a whole
  uint64_t dead_bytes = 0;
  size_t rewritten_packs = 0;  // replaced by packs without what was unused in them
  uint64_t rewritten_bytes = 0;
  uint64_t written_bytes = 0;  // the packs in their place; with dry_run: an estimate
  size_t files = 0;            // different contents that the snapshots need

  // Negative when new packs take more than the old ones, as a few may.
  int64_t freed_bytes() const {
    return static_cast<int64_t>(dead_bytes + rewritten_bytes) - static_cast<int64_t>(written_bytes);
  }
};

// Requires: `repository` was opened for writing, but for a dry run. Nothing goes before its
// replacement is durable and indexed; ended at any point, it can be run again. Throws:
// CorruptError, before anything was changed, when a snapshot or something it needs cannot be read;
// UsageError likewise when a newer tsmfs has written a pack, which may need any other; IoError;
// Cancelled.
PruneReport prune_repository(index::Repository& repository, Catalog& catalog,
                             const PruneOptions& options, std::stop_token stop);

}  // namespace tsmfs::snapshot
