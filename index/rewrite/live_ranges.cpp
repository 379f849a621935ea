#include "index/rewrite/live_ranges.h"

#include <algorithm>

#include "index/format/recipe_needs.h"

namespace tsmfs::index {

namespace {

constexpr size_t kUnsettledMax = 512;

}  // namespace

void ByteRanges::add(ByteRange range) {
  if (range.start == range.end) return;
  if (!ranges_.empty() && ranges_.back().end == range.start) {
    ranges_.back().end = range.end;
    settled_ = std::min(settled_, ranges_.size() - 1);
    return;
  }
  ranges_.push_back(range);
  if (ranges_.size() > 2 * settled_ + kUnsettledMax) settle();
}

const std::vector<ByteRange>& ByteRanges::list() {
  settle();
  return ranges_;
}

uint64_t ByteRanges::bytes() {
  uint64_t sum = 0;
  for (const ByteRange& range : list()) sum += range.end - range.start;
  return sum;
}

void ByteRanges::settle() {
  if (settled_ == ranges_.size()) return;
  std::sort(ranges_.begin(), ranges_.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.start < b.start; });
  size_t kept = 0;
  for (const ByteRange& range : ranges_) {
    if (kept > 0 && range.start <= ranges_[kept - 1].end)
      ranges_[kept - 1].end = std::max(ranges_[kept - 1].end, range.end);
    else
      ranges_[kept++] = range;
  }
  ranges_.resize(kept);
  settled_ = kept;
}

void LiveRanges::add(const BlobPlace& place) {
  packs_[place.pack].add({place.logical_start, place.logical_start + place.length});
}

void LiveRanges::add(const Recipe& recipe) {
  for_each_need(recipe, [&](const PackId& pack, ByteRange range) { packs_[pack].add(range); });
}

ByteRanges* LiveRanges::find(const PackId& pack) {
  const auto found = packs_.find(pack);
  return found == packs_.end() ? nullptr : &found->second;
}

}  // namespace tsmfs::index
