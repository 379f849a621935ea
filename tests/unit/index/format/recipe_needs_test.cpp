#include "index/format/recipe_needs.h"

#include <gtest/gtest.h>

namespace tsmfs::index {
namespace {

PackId pack(uint8_t number) {
  PackId id;
  id.bytes[0] = std::byte{number};
  return id;
}

FileId numbered_file(uint8_t number) {
  FileId id;
  id.bytes[0] = std::byte{number};
  return id;
}

TEST(RecipeNeeds, NamesEachPackThatARunCopiesFromOnce) {
  RecipeBuilder builder(FileId{});
  builder.add_copy(pack(1), 0, 10);
  builder.add_literal(as_bytes("literal"));
  builder.add_copy(pack(2), 5, 5);
  builder.add_copy(pack(1), 50, 10);
  EXPECT_EQ(packs_needed(builder.recipe()), (std::vector<PackId>{pack(1), pack(2)}));
  uint64_t bytes = 0;
  for_each_need(builder.recipe(),
                [&](const PackId&, ByteRange range) { bytes += range.end - range.start; });
  EXPECT_EQ(bytes, 25u);
}

TEST(RecipeNeeds, OneThatLacksAPackIsLossy) {
  RecipeBuilder builder(FileId{});
  builder.add_copy(pack(1), 0, 10);
  builder.add_copy(pack(2), 0, 10);
  RecipeLists lists;
  const FileId whole = numbered_file(1), lossy = numbered_file(2);
  lists.add(whole, needs_of(builder.recipe(), [](const PackId&) { return true; }));
  EXPECT_EQ(lists.needed.size(), 2u);
  EXPECT_TRUE(lists.lossy.empty());
  lists.add(lossy, needs_of(builder.recipe(), [](const PackId& id) { return id == pack(1); }));
  EXPECT_EQ(lists.needed.size(), 2u);
  EXPECT_EQ(lists.lossy, std::vector<FileId>{lossy});
}

}  // namespace
}  // namespace tsmfs::index
