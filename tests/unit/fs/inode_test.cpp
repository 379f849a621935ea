#include "fs/inode.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace tsmfs::fs {
namespace {

TEST(Inode, RootIsOne) {
  EXPECT_EQ(Inode().number(), 1u);
  const auto root = Inode::from_number(1);
  ASSERT_TRUE(root);
  EXPECT_TRUE(root->is_list());
  EXPECT_EQ(list_node(*root).kind, ListKind::kRoot);
}

TEST(Inode, ComesBackFromItsNumber) {
  for (const View view :
       {View::kBackups, View::kChanges, View::kMeta, View::kWal, View::kHostBackups,
        View::kHostChanges, View::kHostMeta, View::kHostWal}) {
    for (const uint32_t snapshot : {uint32_t{0}, uint32_t{1}, uint32_t{77}, Inode::kSnapshotMax}) {
      for (const uint32_t ordinal : {uint32_t{0}, uint32_t{1}, UINT32_MAX}) {
        const Inode inode{view, snapshot, ordinal};
        EXPECT_EQ(Inode::from_number(inode.number()), inode);
      }
    }
  }
}

TEST(Inode, ListNodesComeBack) {
  std::vector<ListNode> nodes = {{ListKind::kRoot, {}},
                                 {ListKind::kHosts, {}},
                                 {ListKind::kAt, {}},
                                 {ListKind::kAtLink, {}, 0},
                                 {ListKind::kAtLink, {}, Inode::kSnapshotMax}};
  for (const Section section :
       {Section::kBackups, Section::kChanges, Section::kMeta, Section::kWal}) {
    nodes.push_back({ListKind::kSection, section});
    nodes.push_back({ListKind::kLatest, section});
  }
  std::set<uint32_t> ordinals;
  for (const ListNode& node : nodes) {
    const auto inode = Inode::from_number(Inode{View::kTop, 0, ordinal_of(node)}.number());
    ASSERT_TRUE(inode);
    EXPECT_EQ(list_node(*inode).kind, node.kind);
    EXPECT_EQ(list_node(*inode).section, node.section);
    EXPECT_EQ(list_node(*inode).snapshot, node.snapshot);
    ordinals.insert(inode->ordinal);
  }
  EXPECT_EQ(ordinals.size(), nodes.size());
}

TEST(Inode, ViewsOfOneSectionDiffer) {
  for (const Section section :
       {Section::kBackups, Section::kChanges, Section::kMeta, Section::kWal}) {
    const Inode all{view_of(section, false), 5, 6};
    const Inode one{view_of(section, true), 5, 6};
    EXPECT_NE(all.number(), one.number());
    EXPECT_EQ(all.section(), section);
    EXPECT_EQ(one.section(), section);
    EXPECT_FALSE(all.in_host());
    EXPECT_TRUE(one.in_host());
  }
}

TEST(Inode, RefusesNumbersItNeverGives) {
  EXPECT_FALSE(Inode::from_number(0));
  EXPECT_FALSE(Inode::from_number(12));                        // between "at" and its links
  EXPECT_FALSE(Inode::from_number(16 + (uint64_t{1} << 28)));  // behind the last link
  EXPECT_FALSE(Inode::from_number(uint64_t{1} << 32 | 1));     // a top list of a snapshot
  EXPECT_FALSE(Inode::from_number(uint64_t{9} << 60 | 6));     // "hosts" of a host
  EXPECT_FALSE(Inode::from_number(uint64_t{10} << 60));        // a view that is not there
  EXPECT_FALSE(Inode::from_number(UINT64_MAX));
}

}  // namespace
}  // namespace tsmfs::fs
