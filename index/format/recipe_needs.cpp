#include "index/format/recipe_needs.h"

namespace tsmfs::index {

void for_each_need(const Recipe& recipe,
                   const std::function<void(const PackId& pack, ByteRange range)>& visit) {
  for (const RecipeRun& run : recipe.runs()) {
    if (run.pack == RecipeRun::kLiteral) continue;
    visit(recipe.packs()[run.pack], {run.start, static_cast<uint32_t>(run.start + run.length)});
  }
}

std::vector<PackId> packs_needed(const Recipe& recipe) {
  std::vector<bool> named(recipe.packs().size());
  for (const RecipeRun& run : recipe.runs())
    if (run.pack != RecipeRun::kLiteral) named[run.pack] = true;
  std::vector<PackId> needed;
  for (size_t i = 0; i < named.size(); ++i)
    if (named[i]) needed.push_back(recipe.packs()[i]);
  return needed;
}

}  // namespace tsmfs::index
