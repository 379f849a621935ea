// Whether this machine has the memory that a server's index of its series will take.
#pragma once

#include <string>

#include "index/repository/object_reader.h"
#include "snapshot/model/stored_shards.h"

namespace tsmfs::cli {

// Of the index in memory, which has every series of every shard. A message when the index sections
// of the TSM files say that it may not fit; empty otherwise, and where that cannot be known. Looks
// at the shards, and into their files, only when they are large beside the memory. Throws:
// CorruptError, IoError.
std::string memory_warning(index::ObjectReader& objects, const snapshot::Manifest& snapshot,
                           const snapshot::Filter& filter);

}  // namespace tsmfs::cli
