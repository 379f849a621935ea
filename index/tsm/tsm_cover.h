// Does one TSM file hold the points of another?
//
// A compaction writes the points of several files into one and removes the files; a backup of what
// is new sees the one and is not told what went. What a newer file covers can go without losing a
// point.
#pragma once

#include "index/format/byte_source.h"

namespace tsmfs::index {

enum class Cover {
  kNone,  // no point of the older file is in the newer one
  kSome,
  kAll,
};

// How much of `older` is in `newer`: a point is when there is one of the same series field, type
// and time, whose value then counts. Values are not compared. kNone for files that cannot be read
// as TSM, or whose points are not in the order of their times. Throws: what the sources throw.
// Memory: of each file one series field's list of blocks, and one block; time: in proportion to the
// files' sizes, whatever they claim.
Cover cover_tsm(ByteSource& newer, ByteSource& older);

}  // namespace tsmfs::index
