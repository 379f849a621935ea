// Takes damaged packs out of the way, and saves what is still good in them.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/codec/frame_codec.h"
#include "index/pack/pack_salvage.h"
#include "index/repository/repository.h"

namespace tsmfs::index {

struct DamagedPack {
  PackId id;
  std::string what;  // is wrong with it
  Salvage salvage;
};

// Reads every byte of every pack. Throws: IoError but for one pack, Cancelled; UsageError when a
// newer tsmfs has written one.
std::vector<DamagedPack> find_damaged_packs(Repository& repository, const std::stop_token& stop);

// Finds out what of the packs can be saved, and fills in DamagedPack::salvage; changes nothing.
void assess(Repository& repository, std::vector<DamagedPack>& packs, const std::stop_token& stop);

// Moves what is good in the packs to new ones, lets recipes follow, then moves the packs to
// quarantine/ and makes the lookup again. A file of which bytes are lost keeps a recipe whose runs
// still name the pack that is gone: reading those bytes fails, the others are there. On return all
// is durable; a crash at any point loses nothing, and the call can be repeated. Requires: the
// repository was opened for writing. Throws: IoError, Cancelled.
void quarantine(Repository& repository, std::vector<DamagedPack>& packs,
                const Compression& compression, const std::stop_token& stop);

// Gives recipes that need a pack in quarantine the same chunks in other packs, where there are
// such. Returns how many recipes gained by it. Requires and throws: as quarantine().
size_t heal_recipes(Repository& repository, const Compression& compression,
                    const std::stop_token& stop);

}  // namespace tsmfs::index
