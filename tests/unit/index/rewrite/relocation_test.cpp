#include "index/rewrite/relocation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "index/rewrite/live_ranges.h"

namespace tsmfs::index {
namespace {

PackId pack(uint8_t number) {
  PackId id;
  id.bytes.fill(std::byte{number});
  return id;
}

FileId file() {
  return FileId::from(pack(99).view());
}

using Runs = std::vector<std::tuple<PackId, uint32_t, uint64_t>>;

Runs runs_of(const RecipeBuilder& builder) {
  const Recipe recipe = Recipe::decode(builder.encode(), "a recipe");
  Runs runs;
  for (size_t i = 0; i < recipe.run_count(); ++i)
    visit_run(
        recipe.run(i),
        [&](const LiteralRun& run) { runs.emplace_back(PackId(), 0, run.bytes.size()); },
        [&](const CopyRun& run) { runs.emplace_back(run.pack, run.start, run.length); });
  return runs;
}

Recipe recipe_of(const std::vector<std::tuple<PackId, uint32_t, uint32_t>>& copies) {
  RecipeBuilder builder(file());
  for (const auto& [id, start, length] : copies) builder.add_copy(id, start, length);
  return Recipe::decode(builder.encode(), "a recipe");
}

TEST(Relocation, LeavesRecipesOfOtherPacksAlone) {
  Relocation relocation;
  relocation.add_leaving(pack(1));
  const Recipe recipe = recipe_of({{pack(2), 10, 20}});
  EXPECT_FALSE(relocation.concerns(recipe));
  const MovedRecipe moved = relocation.follow(recipe);
  EXPECT_FALSE(moved.moved);
  EXPECT_EQ(runs_of(moved.recipe), (Runs{{pack(2), 10, 20}}));
}

TEST(Relocation, SplitsARunWhereItsBytesWentApart) {
  Relocation relocation;
  relocation.add_move(pack(1), 0, 10, {pack(7), 100});
  relocation.add_move(pack(1), 10, 10, {pack(7), 110});
  relocation.add_move(pack(1), 20, 10, {pack(8), 0});
  const Recipe recipe = recipe_of({{pack(1), 5, 20}});
  EXPECT_TRUE(relocation.concerns(recipe));
  const MovedRecipe moved = relocation.follow(recipe);
  EXPECT_TRUE(moved.moved);
  EXPECT_FALSE(relocation.concerns(moved.recipe.recipe()));
  EXPECT_TRUE(relocation.is_target(pack(7)));
  EXPECT_FALSE(relocation.is_target(pack(1)));
  EXPECT_EQ(runs_of(moved.recipe), (Runs{{pack(7), 105, 15}, {pack(8), 0, 5}}));
}

TEST(Relocation, WhatWasNotSavedStillNamesItsPack) {
  Relocation relocation;
  relocation.add_move(pack(1), 10, 10, {pack(7), 0});
  const MovedRecipe moved = relocation.follow(recipe_of({{pack(1), 0, 30}}));
  EXPECT_TRUE(relocation.concerns(moved.recipe.recipe()));
  EXPECT_EQ(runs_of(moved.recipe), (Runs{{pack(1), 0, 10}, {pack(7), 0, 10}, {pack(1), 20, 10}}));
}

TEST(Relocation, KeepsLiteralsAndTheDefect) {
  Relocation relocation;
  relocation.add_move(pack(1), 0, 4, {pack(7), 0});
  RecipeBuilder builder(file());
  builder.add_literal(as_bytes("head"));
  builder.add_copy(pack(1), 0, 4);
  builder.set_tsm_defect("no index");
  const auto moved = relocation.follow(Recipe::decode(builder.encode(), "a recipe"));
  const Recipe recipe = Recipe::decode(moved.recipe.encode(), "a recipe");
  EXPECT_EQ(as_text(recipe.literals()), "head");
  EXPECT_EQ(recipe.tsm_defect(), "no index");
  EXPECT_EQ(recipe.size(), 8u);
}

// Against a model that knows the place of every single byte.
TEST(Relocation, EveryByteOfRandomRecipesIsFollowed) {
  std::mt19937 random(7);
  const auto below = [&](uint32_t end) { return static_cast<uint32_t>(random() % end); };
  for (int round = 0; round < 200; ++round) {
    Relocation relocation;
    std::map<uint32_t, std::pair<PackId, uint32_t>> model;
    relocation.add_leaving(pack(1));
    for (uint32_t at = 0; at < 200;) {
      const uint32_t length = 1 + below(9);
      if (below(4) > 0) {
        const NewPlace place{pack(static_cast<uint8_t>(7 + below(2))), below(10'000)};
        relocation.add_move(pack(1), at, length, place);
        for (uint32_t i = 0; i < length; ++i) model[at + i] = {place.pack, place.logical_start + i};
      }
      at += length;
    }
    const uint32_t start = below(190), length = 1 + below(20);
    const MovedRecipe moved = relocation.follow(recipe_of({{pack(1), start, length}}));
    uint32_t at = start;
    bool lossy = false;
    for (const auto& [id, run_start, run_length] : runs_of(moved.recipe)) {
      for (uint32_t i = 0; i < run_length; ++i, ++at) {
        const auto place = model.find(at);
        lossy |= place == model.end();
        const auto want = place == model.end() ? std::pair(pack(1), at) : place->second;
        ASSERT_EQ(std::pair(id, run_start + i), want) << "round " << round << " byte " << at;
      }
    }
    EXPECT_EQ(at, start + length);
    EXPECT_EQ(relocation.concerns(moved.recipe.recipe()), lossy);
  }
}

TEST(ByteRanges, JoinsWhatTouchesInAnyOrder) {
  ByteRanges ranges;
  for (const ByteRange range : {ByteRange{50, 60}, {10, 20}, {20, 30}, {15, 25}, {60, 61}, {5, 5}})
    ranges.add(range);
  EXPECT_EQ(ranges.list(), (std::vector<ByteRange>{{10, 30}, {50, 61}}));
  EXPECT_EQ(ranges.bytes(), 31u);
}

TEST(ByteRanges, AgreesWithAModelOfManyRanges) {
  std::mt19937 random(3);
  std::vector<bool> model(20'000);
  ByteRanges ranges;
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t start = static_cast<uint32_t>(random() % 19'000);
    const uint32_t end = start + 1 + static_cast<uint32_t>(random() % 3);
    ranges.add({start, end});
    for (uint32_t at = start; at < end; ++at) model[at] = true;
    if (i % 5000 != 0) continue;
    EXPECT_EQ(ranges.bytes(), std::ranges::count(model, true));
  }
  EXPECT_EQ(ranges.bytes(), std::ranges::count(model, true));
}

}  // namespace
}  // namespace tsmfs::index
