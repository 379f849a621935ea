// One run of `tsmfs copy`: the snapshots that another repository lacks, and what it lost of those
// that it has.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/selection.h"

namespace tsmfs::snapshot {

enum class CopyOutcome {
  kCopied,
  kHealed,      // it was there, had lost something, and is whole again
  kStillLossy,  // it was there, and has lost what cannot be copied
  kUnreadable,  // the original is damaged: nothing was published
};

// A snapshot that was not there, or not whole, and what became of it.
struct CopiedSnapshot {
  SnapshotPtr original;
  SnapshotPtr copy;  // empty when the original is unreadable
  CopyOutcome outcome;
  std::vector<std::string> lost = {};  // what cannot be had of it, a line each
};

struct CopyRequest {
  Selection selection;
  index::OpenOptions target;  // made when there is none
  index::WriterOptions writer;
  std::function<void()> on_created = [] {};  // the target, when it is made
  std::function<void(const CopiedSnapshot&)> on_snapshot = [](const CopiedSnapshot&) {};
};

struct CopyReport {
  std::vector<CopiedSnapshot> done;  // oldest first
  size_t there = 0;                  // those that were copied before; also what was healed of them
  std::shared_ptr<const CatalogState> source;  // that was chosen from

  size_t count(CopyOutcome outcome) const;
  size_t failed() const;
  // Whether the target has all now that was to be copied.
  bool complete() const { return failed() == 0 && source->is_sound(); }
};

// A damaged snapshot keeps no other back. Throws: UsageError when the selection means nothing, or
// both repositories are one; NoRepositoryError, BusyError, IoError, Cancelled. What was copied by
// then is published.
CopyReport copy_snapshots(index::Repository& source, const CopyRequest& request,
                          const std::stop_token& stop);

}  // namespace tsmfs::snapshot
