#include "fs/mount_table.h"

#include <gtest/gtest.h>

namespace tsmfs::fs {
namespace {

TEST(MountTable, ReadsTheKernelsLines) {
  const auto mounts = parse_mount_table(
      "22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
      "90 28 0:52 / /mnt ro,nosuid,nodev - fuse.tsmfs /srv/tsmfs ro,user_id=0\n");
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(mounts[0].path, "/sys");
  EXPECT_EQ(mounts[1].path, "/mnt");
  EXPECT_EQ(mounts[1].type, kMountType);
  EXPECT_EQ(mounts[1].source, "/srv/tsmfs");
  EXPECT_EQ(mounts[1].device, "0:52");
}

TEST(MountTable, UnescapesNames) {
  const auto mounts =
      parse_mount_table("90 28 0:52 / /mnt/a\\040b\\134c ro - fuse.tsmfs /srv/x\\011y ro\n");
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].path, "/mnt/a b\\c");
  EXPECT_EQ(mounts[0].source, "/srv/x\ty");
}

TEST(MountTable, TakesManyTagsAndAnEmptySource) {
  const auto mounts =
      parse_mount_table("90 28 0:52 / /mnt rw shared:1 master:2 propagate_from:3 - tmpfs  rw");
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].type, "tmpfs");
  EXPECT_EQ(mounts[0].source, "");
}

TEST(MountTable, LeavesOutWhatIsNoLine) {
  EXPECT_TRUE(parse_mount_table("").empty());
  EXPECT_TRUE(parse_mount_table("a b c\n1 2 3 4 5 6 7\n- - -\n\n").empty());
}

TEST(MountTable, FindsTheRootOfThisMachine) {
  EXPECT_TRUE(find_mount("/proc"));
  EXPECT_FALSE(find_mount("/proc/self"));
}

}  // namespace
}  // namespace tsmfs::fs
