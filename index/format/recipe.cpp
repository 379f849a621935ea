#include "index/format/recipe.h"

#include <algorithm>

#include "index/base/invariant.h"
#include "index/format/pack_format.h"

namespace tsmfs::index {

namespace {

constexpr uint8_t kRecipeVersion = 1;

}  // namespace

// Each run is varint(length * 2 + literal?); then, for a copy, varint(pack) and svarint(start -
// where the last run of that pack ended); for a literal, its bytes.
ByteBuffer RecipeBuilder::encode() const {
  ByteBuffer out;
  ByteWriter writer(out);
  writer.u8(kRecipeVersion);
  writer.raw(recipe_.file_.view());
  writer.sized(as_bytes(recipe_.tsm_defect_));
  writer.varint(recipe_.size_);
  writer.varint(recipe_.packs_.size());
  for (const PackId& pack : recipe_.packs_) writer.raw(pack.view());
  writer.varint(recipe_.runs_.size());
  std::vector<uint64_t> last_ends(recipe_.packs_.size(), 0);
  for (size_t number = 0; number < recipe_.run_count(); ++number)
    visit_run(
        recipe_.run(number),
        [&](const LiteralRun& run) {
          writer.varint(run.bytes.size() << 1 | 1);
          writer.raw(run.bytes);
        },
        [&](const CopyRun& run) {
          uint64_t& last_end = last_ends[run.pack_number];
          writer.varint(uint64_t{run.length} << 1);
          writer.varint(run.pack_number);
          writer.svarint(static_cast<int64_t>(run.start) - static_cast<int64_t>(last_end));
          last_end = uint64_t{run.start} + run.length;
        });
  return out;
}

Recipe Recipe::decode(ByteView encoded, std::string_view object) {
  ByteReader reader(encoded, object);
  if (reader.u8() != kRecipeVersion) throw NewerFormatError(object, "another version of recipe");
  Recipe recipe;
  recipe.file_ = FileId::from(reader.raw(kIdBytes));
  recipe.tsm_defect_ = as_text(reader.sized(kRecipeDefectBytesMax));
  recipe.size_ = reader.varint(INT64_MAX);
  recipe.packs_.resize(reader.count(kIdBytes));
  for (PackId& pack : recipe.packs_) pack = PackId::from(reader.raw(kIdBytes));
  recipe.runs_.resize(reader.count(2, kRecipeRunsMax));
  std::vector<uint64_t> last_ends(recipe.packs_.size(), 0);
  uint64_t offset = 0;
  for (Run& run : recipe.runs_) {
    const uint64_t tag = reader.varint();
    const uint64_t length = tag >> 1;
    run.file_offset = offset;
    if (length == 0 || length > recipe.size_ - offset)
      reader.fail("a run that does not fit the file");
    offset += length;
    if (tag & 1) {
      if (length > kRecipeLiteralBytesMax) reader.fail("a literal that is too long");
      run.pack = Run::kLiteral;
      run.start = static_cast<uint32_t>(recipe.literals_.size());
      append(recipe.literals_, reader.raw(length));
    } else {
      const uint64_t pack = reader.varint();
      if (pack >= recipe.packs_.size()) reader.fail("a pack that is not in its list");
      const uint64_t start =
          last_ends[pack] + static_cast<uint64_t>(reader.svarint());  // wraps; checked next
      if (start > kPackRawBytesMax || length > kPackRawBytesMax - start)
        reader.fail("a run outside its pack");
      run.pack = static_cast<uint32_t>(pack);
      run.start = static_cast<uint32_t>(start);
      last_ends[pack] = start + length;
    }
    run.length = static_cast<uint32_t>(length);
  }
  reader.expect_end();
  if (offset != recipe.size_) reader.fail("its runs do not fill the file");
  return recipe;
}

RecipeRun Recipe::run(size_t number) const {
  require_invariant(number < runs_.size(), "a run is one of the recipe's");
  const Run& run = runs_[number];
  if (run.pack == Run::kLiteral)
    return LiteralRun{ByteView(literals_).subspan(run.start, run.length)};
  return CopyRun{run.pack, packs_[run.pack], run.start, run.length};
}

size_t Recipe::run_at(uint64_t offset) const {
  require_invariant(offset < size_, "a place in a file is before its end");
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), offset,
                       [](uint64_t value, const Run& run) { return value < run.file_offset; });
  return static_cast<size_t>(after - runs_.begin()) - 1;
}

size_t Recipe::memory_bytes() const {
  return sizeof *this + runs_.capacity() * sizeof(Run) + packs_.capacity() * sizeof(PackId) +
         literals_.capacity();
}

void RecipeBuilder::add_copy(const PackId& pack, uint32_t logical_start, uint32_t length) {
  if (length == 0) return;
  const auto [place, added] =
      pack_numbers_.try_emplace(pack, static_cast<uint32_t>(recipe_.packs_.size()));
  if (added) recipe_.packs_.push_back(pack);
  auto& runs = recipe_.runs_;
  const bool joins = !runs.empty() && runs.back().pack == place->second &&
                     uint64_t{runs.back().start} + runs.back().length == logical_start;
  if (joins)
    runs.back().length += length;
  else
    runs.push_back({recipe_.size_, place->second, logical_start, length});
  recipe_.size_ += length;
}

void RecipeBuilder::add_literal(ByteView bytes) {
  require_invariant(bytes.size() <= kRecipeLiteralBytesMax, "a literal of a recipe is short");
  if (bytes.empty()) return;
  recipe_.runs_.push_back({recipe_.size_, Recipe::Run::kLiteral,
                           static_cast<uint32_t>(recipe_.literals_.size()),
                           static_cast<uint32_t>(bytes.size())});
  append(recipe_.literals_, bytes);
  recipe_.size_ += bytes.size();
}

void RecipeBuilder::set_tsm_defect(std::string_view defect) {
  recipe_.tsm_defect_ = defect.substr(0, kRecipeDefectBytesMax);
}

}  // namespace tsmfs::index
