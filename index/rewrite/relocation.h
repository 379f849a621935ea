// Where the bytes of packs that are to go have moved, and recipes that follow them.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "index/format/digest.h"
#include "index/format/recipe.h"
#include "index/pack/pack_filler.h"

namespace tsmfs::index {

// A recipe after a move.
struct MovedRecipe {
  RecipeBuilder recipe;
  bool moved = false;  // some of it was found in another place than before
};

// Not thread safe.
class Relocation {
 public:
  // Says that `pack` is to go.
  void add_leaving(const PackId& pack) { moves_.try_emplace(pack); }
  bool is_leaving(const PackId& pack) const { return moves_.contains(pack); }
  // Says where [start, start + length) of a leaving pack is now. Requires: calls for one pack come
  // in the order of `start` and do not overlap.
  void add_move(const PackId& pack, uint32_t start, uint32_t length, const NewPlace& to);
  // Whether some of a leaving pack is in `pack` now.
  bool is_target(const PackId& pack) const { return target_ids_.contains(pack); }
  // Whether a recipe needs a leaving pack.
  bool concerns(const Recipe& recipe) const;
  // Where nothing was saved, what it makes still needs the leaving pack.
  MovedRecipe follow(const Recipe& recipe) const;

 private:
  struct Move {
    uint32_t start = 0;
    uint32_t length = 0;
    uint32_t target = 0;  // into targets_
    uint32_t target_start = 0;
  };
  void follow_run(const std::vector<Move>& moves, const CopyRun& run, MovedRecipe& moved) const;

  std::unordered_map<PackId, std::vector<Move>, IdHash> moves_;
  std::vector<PackId> targets_;
  std::unordered_set<PackId, IdHash> target_ids_;
};

}  // namespace tsmfs::index
