#include "index/rewrite/relocation.h"

#include <algorithm>

#include "index/format/recipe_needs.h"

namespace tsmfs::index {

void Relocation::add_move(const PackId& pack, uint32_t start, uint32_t length, const NewPlace& to) {
  if (targets_.empty() || targets_.back() != to.pack) {
    targets_.push_back(to.pack);
    target_ids_.insert(to.pack);
  }
  const auto target = static_cast<uint32_t>(targets_.size() - 1);
  std::vector<Move>& moves = moves_[pack];
  if (!moves.empty()) {
    Move& last = moves.back();
    if (last.start + last.length == start && last.target == target &&
        last.target_start + last.length == to.logical_start) {
      last.length += length;
      return;
    }
  }
  moves.push_back({start, length, target, to.logical_start});
}

bool Relocation::concerns(const Recipe& recipe) const {
  return std::ranges::any_of(packs_needed(recipe),
                             [&](const PackId& id) { return is_leaving(id); });
}

MovedRecipe Relocation::follow(const Recipe& recipe) const {
  MovedRecipe moved{RecipeBuilder(recipe.file())};
  moved.recipe.set_tsm_defect(recipe.tsm_defect());
  for (size_t number = 0; number < recipe.run_count(); ++number)
    visit_run(
        recipe.run(number), [&](const LiteralRun& run) { moved.recipe.add_literal(run.bytes); },
        [&](const CopyRun& run) {
          if (const auto moves = moves_.find(run.pack); moves != moves_.end())
            follow_run(moves->second, run, moved);
          else
            moved.recipe.add_copy(run.pack, run.start, run.length);
        });
  return moved;
}

void Relocation::follow_run(const std::vector<Move>& moves, const CopyRun& run,
                            MovedRecipe& moved) const {
  uint64_t at = run.start;
  const uint64_t end = at + run.length;
  auto move = std::upper_bound(moves.begin(), moves.end(), at,
                               [](uint64_t value, const Move& m) { return value < m.start; });
  if (move != moves.begin()) --move;
  while (at < end) {
    while (move != moves.end() && uint64_t{move->start} + move->length <= at) ++move;
    if (move == moves.end() || move->start > at) {
      const uint64_t gap_end = move == moves.end() ? end : std::min<uint64_t>(end, move->start);
      moved.recipe.add_copy(run.pack, static_cast<uint32_t>(at),
                            static_cast<uint32_t>(gap_end - at));
      at = gap_end;
      continue;
    }
    const uint64_t skip = at - move->start;
    const uint64_t count = std::min(end - at, move->length - skip);
    moved.recipe.add_copy(targets_[move->target], static_cast<uint32_t>(move->target_start + skip),
                          static_cast<uint32_t>(count));
    moved.moved = true;
    at += count;
  }
}

}  // namespace tsmfs::index
