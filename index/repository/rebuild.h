// Makes the lookup again from the packs alone.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "index/format/digest.h"
#include "index/lookup/lookup.h"
#include "index/pack/pack_store.h"
#include "index/storage/local_state.h"

namespace tsmfs::index {

struct AddedPacks {
  size_t packs = 0;
  std::vector<std::string>
      damaged;  // packs that could not be read, one message each; they are left as they are
};

// Adds packs to a lookup, oldest first, so that the newest recipe of a file wins. A recipe that
// needs a pack which is not indexed by then (gone, damaged, or not older) is noted as lossy: its
// file counts as not stored, and the next backup stores it again.
AddedPacks add_packs(Lookup& lookup, const PackStore& packs, const std::vector<PackId>& ids);

// Builds a new lookup from all packs and puts it in the place of the old one. Requires: the caller
// holds the writer's lock and has no lookup open. A crash at any point leaves the old one or
// the new one; on a file system that cannot exchange names, perhaps none.
AddedPacks rebuild_lookup(const LocalState& local, const PackStore& packs);

}  // namespace tsmfs::index
