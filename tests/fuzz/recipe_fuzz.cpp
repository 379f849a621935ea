// Recipe::decode: runs that tile the file and lie inside their packs, and that can be written and
// read again.
#include <algorithm>
#include <optional>

#include "index/base/error.h"
#include "index/format/pack_format.h"
#include "index/format/recipe.h"
#include "tests/fuzz/fuzz_target.h"

namespace tsmfs::fuzz {
namespace {

using namespace index;

void check_runs(const Recipe& recipe) {
  uint64_t offset = 0;
  for (size_t i = 0; i < recipe.run_count(); ++i) {
    const uint64_t length = recipe.run_length(i);
    require(recipe.run_offset(i) == offset && length > 0, "runs follow each other");
    require(recipe.run_at(offset) == i && recipe.run_at(offset + length - 1) == i,
            "a byte is found in its run");
    offset += length;
    visit_run(
        recipe.run(i),
        [&](const LiteralRun& run) { require(run.bytes.size() == length, "a literal is there"); },
        [&](const CopyRun& run) {
          require(run.pack_number < recipe.packs().size() && run.length == length &&
                      uint64_t{run.start} + length <= kPackRawBytesMax,
                  "a run lies inside its pack");
        });
  }
  require(offset == recipe.size(), "the runs are the file");
}

ByteBuffer encode_again(const Recipe& recipe) {
  RecipeBuilder builder(recipe.file());
  builder.set_tsm_defect(recipe.tsm_defect());
  for (size_t i = 0; i < recipe.run_count(); ++i)
    visit_run(
        recipe.run(i), [&](const LiteralRun& run) { builder.add_literal(run.bytes); },
        [&](const CopyRun& run) { builder.add_copy(run.pack, run.start, run.length); });
  return builder.encode();
}

}  // namespace
}  // namespace tsmfs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  std::optional<index::Recipe> recipe;
  if (!fuzz::takes<CorruptError>(
          [&] { recipe = index::Recipe::decode(fuzz::input_bytes(data, size), "input"); }))
    return 0;
  fuzz::check_runs(*recipe);
  // What the builder writes is a recipe of the same file, and the builder's own form of it.
  const ByteBuffer encoded = fuzz::encode_again(*recipe);
  const index::Recipe again = index::Recipe::decode(encoded, "encoded again");
  fuzz::check_runs(again);
  fuzz::require(again.file() == recipe->file() && again.size() == recipe->size(),
                "it makes the same file");
  fuzz::require(again.tsm_defect() == recipe->tsm_defect(), "it has the same defect");
  fuzz::require(as_text(again.literals()) == as_text(recipe->literals()),
                "it has the same literals");
  fuzz::require(fuzz::encode_again(again) == encoded, "there is one form of it");
  return 0;
}
