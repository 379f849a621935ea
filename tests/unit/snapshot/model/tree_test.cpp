#include "snapshot/model/tree.h"

#include <gtest/gtest.h>

#include "index/base/error.h"

namespace tsmfs::snapshot {
namespace {

TreeEntry file(const std::string& name, uint64_t size) {
  return {*Name::parse(name),
          EntryKind::kFile,
          0644,
          {123},
          size,
          0,
          index::random_id<index::FileId>()};
}
TreeEntry directory(const std::string& name, uint64_t size, uint64_t below) {
  return {*Name::parse(name),
          EntryKind::kDirectory,
          0755,
          {},
          size,
          below,
          index::random_id<index::TreeId>()};
}

TEST(Tree, ComesBackSorted) {
  const Tree tree({file("b", 2), directory("c", 10, 3), file("a", 1)});
  const Tree back = Tree::decode(tree.encode(), "test");
  EXPECT_EQ(back.entries(), tree.entries());
  EXPECT_EQ(back.entries()[0].name, "a");
  EXPECT_EQ(back.totals().size, 13u);
  EXPECT_EQ(back.totals().below, 6u);
  EXPECT_EQ(back.first_ordinals(), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(back.find("c")->below, 3u);
  EXPECT_EQ(back.find("d"), nullptr);
}

TEST(Tree, OrderOfEntriesDoesNotChangeTheEncoding) {
  const TreeEntry a = file("a", 1), b = file("b", 2);
  EXPECT_EQ(Tree({a, b}).encode(), Tree({b, a}).encode());
}

TEST(Tree, RefusesNamesThatClash) {
  EXPECT_THROW(Tree({file("a", 1), file("a", 2)}), UsageError);
}

TEST(Tree, RefusesStoredNamesThatClimb) {
  const ByteBuffer sound = Tree({file("xy", 1)}).encode();
  for (const std::string& name :
       {std::string(".."), std::string("a/"), std::string("/a"), std::string("a\0", 2)}) {
    std::string encoded(as_text(sound));
    encoded.replace(encoded.find("xy"), 2, name);
    EXPECT_THROW(Tree::decode(as_bytes(encoded), "test"), CorruptError);
  }
}

TEST(Tree, NoPrefixAndNoSuffixDecodes) {
  ByteBuffer encoded = Tree({file("b", 2), directory("c", 10, 3)}).encode();
  for (size_t size = 0; size < encoded.size(); ++size)
    EXPECT_THROW(Tree::decode(ByteView(encoded).first(size), "test"), CorruptError);
  encoded.push_back(std::byte{0});
  EXPECT_THROW(Tree::decode(encoded, "test"), CorruptError);
}

TEST(Tree, DecodedFlipsAreCanonical) {
  const ByteBuffer encoded = Tree({file("b", 2), directory("c", 10, 3), file("dd", 300)}).encode();
  for (size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    ByteBuffer damaged = encoded;
    damaged[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    try {
      EXPECT_EQ(Tree::decode(damaged, "test").encode(), damaged);
    } catch (const CorruptError&) {
    }
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
