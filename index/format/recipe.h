// How to make one file's bytes again: runs of logical pack bytes, and literals, in file order.
// docs/FORMAT.md, "Recipes".
//
// A recipe names packs by id and places by logical offset, so that reading needs neither the lookup
// nor a pack's blob table.
//
// Chunk numbers in the place of logical offsets would be as small, but a reader would need each
// pack's list of chunk lengths in memory. A recipe also carries the id of its file, so that no
// damaged lookup can make it pass for another's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "index/base/bytes.h"
#include "index/format/digest.h"

namespace tsmfs::index {

constexpr uint32_t kRecipeLiteralBytesMax = 255;
constexpr uint64_t kRecipeRunsMax = uint64_t{1} << 26;
constexpr size_t kRecipeDefectBytesMax = 1000;

// The kinds of run that a file's bytes are made of. Each user visits all of them (visit_run), so
// that a new kind is overlooked by none.
struct CopyRun {             // logical bytes [start, start + length) of a pack
  uint32_t pack_number = 0;  // into Recipe::packs()
  PackId pack;
  uint32_t start = 0;
  uint32_t length = 0;
};
struct LiteralRun {  // bytes of the recipe itself
  ByteView bytes;    // of Recipe::literals()
};
using RecipeRun = std::variant<CopyRun, LiteralRun>;

// Calls the one of `visitors` that takes the run's kind. Does not compile unless each kind has one.
template <typename... Visitors>
auto visit_run(const RecipeRun& run, const Visitors&... visitors) {
  struct All : Visitors... {
    using Visitors::operator()...;
  };
  return std::visit(All{visitors...}, run);
}

// Immutable once made; sorted by file offset, without gaps.
class Recipe {
 public:
  // Throws: CorruptError, naming `object`.
  static Recipe decode(ByteView encoded, std::string_view object);

  const FileId& file() const { return file_; }
  uint64_t size() const { return size_; }
  const std::vector<PackId>& packs() const { return packs_; }
  size_t run_count() const { return runs_.size(); }
  // Requires: number < run_count().
  RecipeRun run(size_t number) const;
  // Where it begins in the file, and its bytes.
  uint64_t run_offset(size_t number) const { return runs_[number].file_offset; }
  uint64_t run_length(size_t number) const { return runs_[number].length; }
  ByteView literals() const { return literals_; }
  // Why the file is not a sound TSM file; empty when it is, or is none.
  const std::string& tsm_defect() const { return tsm_defect_; }
  // The run that holds the byte at `offset`. Requires: offset < size().
  size_t run_at(uint64_t offset) const;
  size_t memory_bytes() const;

 private:
  friend class RecipeBuilder;
  // As it is kept: recipes may have millions.
  struct Run {
    static constexpr uint32_t kLiteral = UINT32_MAX;
    uint64_t file_offset = 0;
    uint32_t pack = 0;   // into packs_, or kLiteral
    uint32_t start = 0;  // logical offset in that pack, or offset into literals_
    uint32_t length = 0;
  };
  FileId file_;
  uint64_t size_ = 0;
  std::vector<PackId> packs_;
  std::vector<Run> runs_;
  ByteBuffer literals_;
  std::string tsm_defect_;
};

// Takes a file's pieces in order and joins neighbours to runs.
class RecipeBuilder {
 public:
  explicit RecipeBuilder(const FileId& file) { recipe_.file_ = file; }
  void add_copy(const PackId& pack, uint32_t logical_start, uint32_t length);
  // Requires: bytes.size() <= kRecipeLiteralBytesMax.
  void add_literal(ByteView bytes);
  void set_tsm_defect(std::string_view defect);
  // What was added so far.
  const Recipe& recipe() const { return recipe_; }
  ByteBuffer encode() const;

 private:
  Recipe recipe_;
  std::unordered_map<PackId, uint32_t, IdHash> pack_numbers_;
};

}  // namespace tsmfs::index
