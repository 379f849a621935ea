#include "index/blocks/simple8b.h"

#include <gtest/gtest.h>

#include <vector>

namespace tsmfs::index {
namespace {

// The selectors of the words that hold the values, which unpack to the values again.
std::vector<unsigned> selectors_of(const std::vector<uint64_t>& values,
                                   RunsOfOnes runs = RunsOfOnes::kAnywhere) {
  ByteBuffer words(values.size() * kSimple8bWordBytes);
  words.resize(static_cast<size_t>(pack_simple8b(values, runs, words.data()) - words.data()));
  EXPECT_EQ(count_simple8b(words), values.size());
  std::vector<uint64_t> unpacked(values.size());
  EXPECT_EQ(unpack_simple8b(words, unpacked.data()), unpacked.data() + unpacked.size());
  EXPECT_EQ(unpacked, values);
  std::vector<unsigned> selectors;
  for (size_t i = 0; i < words.size(); i += kSimple8bWordBytes)
    selectors.push_back(std::to_integer<unsigned>(words[i]) >> 4);
  return selectors;
}

std::vector<uint64_t> ones(size_t count) {
  return std::vector<uint64_t>(count, 1);
}

std::vector<uint64_t> followed_by(std::vector<uint64_t> values, uint64_t last) {
  values.push_back(last);
  return values;
}

using Selectors = std::vector<unsigned>;

TEST(Simple8b, AWordHoldsAsManyAsFit) {
  for (unsigned selector = 2; selector < kSimple8bPackings.size(); ++selector) {
    const auto [count, bits] = kSimple8bPackings[selector];
    const std::vector<uint64_t> widest(count, (uint64_t{1} << bits) - 1);
    if (bits > 1) {
      EXPECT_EQ(selectors_of(widest), Selectors{selector});
    }
    if (selector > 2) {  // one bit more than the word before could hold
      const uint64_t least = uint64_t{1} << kSimple8bPackings[selector - 1].bits;
      EXPECT_EQ(selectors_of(std::vector<uint64_t>(count, least)), Selectors{selector});
    }
  }
}

TEST(Simple8b, NoMoreThanThereAre) {
  EXPECT_EQ(selectors_of({}), Selectors{});
  EXPECT_EQ(selectors_of({0}), Selectors{15});
  EXPECT_EQ(selectors_of({0, 0, 0, 0}), Selectors{12});
  EXPECT_EQ(selectors_of(ones(59)), (Selectors{3, 4, 8, 15}));
}

TEST(Simple8b, TheFirstWideValueEndsAWord) {
  EXPECT_EQ(selectors_of({3, 3, 3, 3, 3, 3, kSimple8bValueMax, 0}), (Selectors{10, 15, 15}));
}

TEST(Simple8b, RunsOfOnesAnywhere) {
  EXPECT_EQ(selectors_of(ones(240)), Selectors{0});
  EXPECT_EQ(selectors_of(ones(120)), Selectors{1});
  EXPECT_EQ(selectors_of(ones(119)), (Selectors{2, 3, 4, 8, 15}));
  EXPECT_EQ(selectors_of(followed_by(ones(240), 9)), (Selectors{0, 15}));
  EXPECT_EQ(selectors_of(followed_by(ones(239), 9)), (Selectors{1, 2, 3, 4, 7}));
}

TEST(Simple8b, RunsOfOnesInTheWindowOnly) {
  const auto runs = RunsOfOnes::kInWindow;
  EXPECT_EQ(selectors_of(followed_by(ones(240), 9), runs), (Selectors{0, 15}));
  EXPECT_EQ(selectors_of(ones(239), runs), (Selectors{1, 2, 3, 4, 8, 15}));
  // The rest is the window: one that is none of them spoils it.
  EXPECT_EQ(selectors_of(followed_by(ones(180), 9), runs).front(), 2u);
}

TEST(Simple8b, RunsOfOnesAtTheEndOnly) {
  const auto runs = RunsOfOnes::kOnlyAtTheEnd;
  EXPECT_EQ(selectors_of(ones(480), runs), (Selectors{0, 0}));
  EXPECT_EQ(selectors_of(followed_by(ones(480), 9), runs).front(), 2u);
  std::vector<uint64_t> late = {9};
  late.resize(121, 1);
  EXPECT_EQ(selectors_of(late, runs).front(), 5u);
}

}  // namespace
}  // namespace tsmfs::index
