#include "index/format/recipe_needs.h"

#include <algorithm>

namespace tsmfs::index {

void for_each_need(const Recipe& recipe,
                   const std::function<void(const PackId& pack, ByteRange range)>& visit) {
  for (size_t number = 0; number < recipe.run_count(); ++number)
    visit_run(
        recipe.run(number),
        [&](const CopyRun& run) {
          visit(run.pack, {run.start, run.start + run.length});
        },
        [](const LiteralRun&) {});
}

std::vector<PackId> packs_needed(const Recipe& recipe) {
  std::vector<bool> named(recipe.packs().size());
  for (size_t number = 0; number < recipe.run_count(); ++number)
    visit_run(
        recipe.run(number), [&](const CopyRun& run) { named[run.pack_number] = true; },
        [](const LiteralRun&) {});
  std::vector<PackId> needed;
  for (size_t i = 0; i < named.size(); ++i)
    if (named[i]) needed.push_back(recipe.packs()[i]);
  return needed;
}

RecipeNeeds needs_of(const Recipe& recipe, const std::function<bool(const PackId&)>& is_present) {
  RecipeNeeds needs{packs_needed(recipe)};
  needs.lossy = !std::ranges::all_of(needs.packs, is_present);
  return needs;
}

void RecipeLists::add(const FileId& file, const RecipeNeeds& needs) {
  if (needs.lossy)
    lossy.push_back(file);
  else
    needed.insert(needs.packs.begin(), needs.packs.end());
}

}  // namespace tsmfs::index
