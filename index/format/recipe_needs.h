// What must be there so that a file can be read. The one owner of that question: prune, verify,
// rebuild, repair and the look-up of what is stored all ask here, so that none of them can know of
// a need that another overlooks.
//
// The invariant that stands on it: a file that the lookup knows, and does not note as lossy, has
// every pack that is needed to read it. Lookup::add_pack() refuses what would break it, a
// prune forgets what no snapshot needs before any pack goes, and RepositoryWriter::find_file()
// looks once more.
#pragma once

#include <functional>
#include <unordered_set>
#include <vector>

#include "index/format/digest.h"
#include "index/format/pack_format.h"
#include "index/format/recipe.h"

namespace tsmfs::index {

// Calls `visit` with each piece of a pack that the recipe's bytes are made from. A piece may come
// more than once.
void for_each_need(const Recipe& recipe,
                   const std::function<void(const PackId& pack, ByteRange range)>& visit);

// The packs of these pieces, each once. The pack that the recipe itself lies in is not among them,
// unless the recipe copies from it.
std::vector<PackId> packs_needed(const Recipe& recipe);

// What one recipe needs, and whether it is there.
struct RecipeNeeds {
  std::vector<PackId> packs;  // packs_needed()
  bool lossy = false;         // one of them is gone
};
// A pack of which `is_present` says no is gone.
RecipeNeeds needs_of(const Recipe& recipe, const std::function<bool(const PackId&)>& is_present);

// What the recipes of a pack need.
struct RecipeLists {
  std::vector<FileId> lossy;                  // files of which a needed pack is gone
  std::unordered_set<PackId, IdHash> needed;  // by the other ones

  void add(const FileId& file, const RecipeNeeds& needs);
};

}  // namespace tsmfs::index
