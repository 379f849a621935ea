#include "index/format/recipe_needs.h"

#include <gtest/gtest.h>

#include "tests/support/numbered_id.h"

namespace tsmfs::index {
namespace {

TEST(RecipeNeeds, NamesEachPackThatARunCopiesFromOnce) {
  RecipeBuilder builder(FileId{});
  builder.add_copy(test::numbered<PackId>(1), 0, 10);
  builder.add_literal(as_bytes("literal"));
  builder.add_copy(test::numbered<PackId>(2), 5, 5);
  builder.add_copy(test::numbered<PackId>(1), 50, 10);
  EXPECT_EQ(packs_needed(builder.recipe()),
            (std::vector<PackId>{test::numbered<PackId>(1), test::numbered<PackId>(2)}));
  uint64_t bytes = 0;
  for_each_need(builder.recipe(),
                [&](const PackId&, ByteRange range) { bytes += range.end - range.start; });
  EXPECT_EQ(bytes, 25u);
}

TEST(RecipeNeeds, OneThatLacksAPackIsLossy) {
  RecipeBuilder builder(FileId{});
  builder.add_copy(test::numbered<PackId>(1), 0, 10);
  builder.add_copy(test::numbered<PackId>(2), 0, 10);
  RecipeLists lists;
  const FileId whole = test::numbered<FileId>(1), lossy = test::numbered<FileId>(2);
  lists.add(whole, needs_of(builder.recipe(), [](const PackId&) { return true; }));
  EXPECT_EQ(lists.needed.size(), 2u);
  EXPECT_TRUE(lists.lossy.empty());
  lists.add(lossy, needs_of(builder.recipe(),
                            [](const PackId& id) { return id == test::numbered<PackId>(1); }));
  EXPECT_EQ(lists.needed.size(), 2u);
  EXPECT_EQ(lists.lossy, std::vector<FileId>{lossy});
}

}  // namespace
}  // namespace tsmfs::index
