#include "index/format/recipe_needs.h"

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

}  // namespace tsmfs::index
