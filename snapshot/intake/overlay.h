// Lays the files of a shard that are new over those of an earlier snapshot, as restoring a base and
// then its increments would.
//
// Nothing in what came tells which files went, so the times of both files' points are compared. A
// file that went because all its points were deleted leaves no trace at all: a live server is asked
// for it (snapshot/backup/still_there.h), and a shard that lacks one, or has one that nobody knows,
// is fetched whole. Of an import nobody can be asked: a file that shares only some of its points
// stays, and the snapshot says so.
#pragma once

#include <string>
#include <vector>

#include "index/repository/object_reader.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

struct Overlay {
  std::vector<TreeEntry> files;
  std::vector<TreeEntry> carried_over;  // those of `files` that are the earlier snapshot's
  std::vector<std::string>
      superseded;  // of the earlier snapshot, left out: a newer file holds all their points
  std::vector<std::string>
      unexplained;  // kept, though a newer compaction may have taken their place: it lacks some of
                    // their points, which may be deleted ones
};

// A file of `earlier` is dropped when a received compaction of its generation or a later one covers
// it (index/tsm/tsm_cover.h), and with it its tombstones. Requires: the received files are flushed.
// Throws: CorruptError, IoError when stored files cannot be read.
Overlay lay_over(index::ObjectReader& objects, const std::vector<TreeEntry>& earlier,
                 const std::vector<TreeEntry>& received);

}  // namespace tsmfs::snapshot
