#include "index/format/recipe.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

ByteBuffer sample() {
  const PackId a = random_id<PackId>(), b = random_id<PackId>();
  RecipeBuilder builder(random_id<FileId>());
  builder.add_literal(as_bytes("magic"));
  builder.add_copy(a, 100, 50);
  builder.add_copy(a, 150, 50);  // joins
  builder.add_copy(b, 5000, 7);
  builder.add_copy(a, 200, 1);
  builder.add_copy(a, 0, 10);
  return builder.encode();
}

TEST(Recipe, JoinsNeighboursAndComesBack) {
  const Recipe recipe = Recipe::decode(sample(), "test");
  EXPECT_EQ(recipe.size(), 5u + 100 + 7 + 1 + 10);
  ASSERT_EQ(recipe.run_count(), 5u);
  EXPECT_EQ(as_text(std::get<LiteralRun>(recipe.run(0)).bytes), "magic");
  EXPECT_EQ(std::get<CopyRun>(recipe.run(1)).length, 100u);
  EXPECT_EQ(std::get<CopyRun>(recipe.run(2)).start, 5000u);
  EXPECT_EQ(std::get<CopyRun>(recipe.run(4)).start, 0u);
  EXPECT_EQ(as_text(recipe.literals()), "magic");
  EXPECT_EQ(recipe.run_at(0), 0u);
  EXPECT_EQ(recipe.run_at(5), 1u);
  EXPECT_EQ(recipe.run_at(104), 1u);
  EXPECT_EQ(recipe.run_at(105), 2u);
  EXPECT_EQ(recipe.run_at(122), 4u);
}

TEST(Recipe, NoPrefixDecodes) {
  const ByteBuffer encoded = sample();
  for (size_t size = 0; size < encoded.size(); ++size)
    EXPECT_THROW(Recipe::decode(ByteView(encoded).first(size), "test"), CorruptError) << size;
}

TEST(Recipe, SurvivesEveryFlippedBit) {
  const ByteBuffer encoded = sample();
  for (size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    ByteBuffer damaged = encoded;
    damaged[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    try {
      const Recipe recipe = Recipe::decode(damaged, "test");
      uint64_t sum = 0;
      for (size_t i = 0; i < recipe.run_count(); ++i) sum += recipe.run_length(i);
      EXPECT_EQ(sum, recipe.size());
    } catch (const CorruptError&) {
    }
  }
}

TEST(Recipe, KeepsTheDefect) {
  RecipeBuilder builder(random_id<FileId>());
  builder.set_tsm_defect("the CRC of block 3 is wrong");
  EXPECT_EQ(Recipe::decode(builder.encode(), "test").tsm_defect(), "the CRC of block 3 is wrong");
}

}  // namespace
}  // namespace tsmfs::index
