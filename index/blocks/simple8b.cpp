#include "index/blocks/simple8b.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tsmfs::index {

namespace {

constexpr unsigned kSelectorShift = 60;
constexpr size_t kLongRun = kSimple8bPackings[0].count, kShortRun = kSimple8bPackings[1].count;
constexpr unsigned kFirstPacked = 2;  // the selectors before it are of runs

template <unsigned kSelector>
uint64_t* unpack_word(uint64_t word, uint64_t* to) {
  constexpr unsigned kCount = kSimple8bPackings[kSelector].count;
  constexpr unsigned kBits = kSimple8bPackings[kSelector].bits;
  if constexpr (kBits == 0) {
    std::fill_n(to, kCount, uint64_t{1});
  } else {
    constexpr uint64_t kMask = (uint64_t{1} << kBits) - 1;
#pragma GCC unroll 60
    for (unsigned i = 0; i < kCount; ++i) to[i] = word >> (i * kBits) & kMask;
  }
  return to + kCount;
}

using Unpack = uint64_t* (*)(uint64_t word, uint64_t* to);
template <size_t... kSelectors>
constexpr std::array<Unpack, sizeof...(kSelectors)> unpackers(std::index_sequence<kSelectors...>) {
  return {unpack_word<kSelectors>...};
}
constexpr auto kUnpackers = unpackers(std::make_index_sequence<kSimple8bPackings.size()>());

template <unsigned kSelector>
uint64_t pack_word(const uint64_t* values) {
  constexpr unsigned kCount = kSimple8bPackings[kSelector].count;
  constexpr unsigned kBits = kSimple8bPackings[kSelector].bits;
  uint64_t word = uint64_t{kSelector} << kSelectorShift;
  if constexpr (kBits != 0) {
#pragma GCC unroll 60
    for (unsigned i = 0; i < kCount; ++i) word |= values[i] << (i * kBits);
  }
  return word;
}

using Pack = uint64_t (*)(const uint64_t* values);
template <size_t... kSelectors>
constexpr std::array<Pack, sizeof...(kSelectors)> packers(std::index_sequence<kSelectors...>) {
  return {pack_word<kSelectors>...};
}
constexpr auto kPackers = packers(std::make_index_sequence<kSimple8bPackings.size()>());

// Of values: all bits that are set in any, so as wide as the widest.
uint64_t bits_of(std::span<const uint64_t> values) {
  uint64_t any = 0;
  for (const uint64_t value : values) any |= value;
  return any;
}

// The selector of the next word: that of the most values that are there and fit. `likely` is one
// that it may be, the last word's.
unsigned choose_selector(std::span<const uint64_t> values, unsigned likely) {
  unsigned best = kSimple8bPackings.size() - 1;
  size_t looked_at = kSimple8bPackings[best].count;
  if (const Simple8bPacking packing = kSimple8bPackings[likely]; packing.count <= values.size()) {
    if (const uint64_t any = bits_of(values.first(packing.count)); any >> packing.bits == 0) {
      best = likely;
      looked_at = packing.count;
    }
  }
  uint64_t any = bits_of(values.first(looked_at));
  for (unsigned selector = best - 1; selector >= kFirstPacked; --selector) {
    const Simple8bPacking packing = kSimple8bPackings[selector];
    if (packing.count > values.size()) break;
    for (; looked_at < packing.count; ++looked_at) any |= values[looked_at];
    if (any >> packing.bits != 0) break;
    best = selector;
  }
  return best;
}

// Where the next value that is not 1 lies, looked for once.
class Ones {
 public:
  explicit Ones(std::span<const uint64_t> values) : values_(values) {}
  // Of values from there on. Requires: never a smaller `begin` than before.
  size_t run_at(size_t begin) {
    end_ = std::max(end_, begin);
    while (end_ < values_.size() && values_[end_] == 1) ++end_;
    return end_ - begin;
  }

 private:
  std::span<const uint64_t> values_;
  size_t end_ = 0;
};

// How many ones the next word is a run of, or none.
size_t length_of_run(size_t ones, size_t left, RunsOfOnes runs) {
  const size_t all = runs == RunsOfOnes::kAnywhere   ? 0
                     : runs == RunsOfOnes::kInWindow ? std::min(left, kLongRun)
                                                     : left;
  if (ones < kShortRun || ones < all) return 0;
  return ones < kLongRun ? kShortRun : kLongRun;
}

}  // namespace

uint64_t count_simple8b(ByteView words) {
  uint64_t count = 0;
  for (size_t i = 0; i < words.size(); i += kSimple8bWordBytes)
    count += kSimple8bPackings[std::to_integer<unsigned>(words[i]) >> 4].count;
  return count;
}

uint64_t* unpack_simple8b(ByteView words, uint64_t* to) {
  for (size_t i = 0; i < words.size(); i += kSimple8bWordBytes) {
    const auto word = load_be<uint64_t>(words.data() + i);
    to = kUnpackers[word >> kSelectorShift](word, to);
  }
  return to;
}

std::byte* pack_simple8b(std::span<const uint64_t> values, RunsOfOnes runs, std::byte* to) {
  Ones ones(values);
  unsigned packed = kSimple8bPackings.size() - 1;
  for (size_t done = 0; done < values.size(); to += kSimple8bWordBytes) {
    const std::span left = values.subspan(done);
    const size_t run = left[0] == 1 ? length_of_run(ones.run_at(done), left.size(), runs) : 0;
    if (run == 0) packed = choose_selector(left, packed);
    const unsigned selector = run == 0 ? packed : run == kLongRun ? 0 : 1;
    store_be(to, kPackers[selector](left.data()));
    done += kSimple8bPackings[selector].count;
  }
  return to;
}

}  // namespace tsmfs::index
