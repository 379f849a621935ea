#include "fs/mount_options.h"

#include <gtest/gtest.h>

#include <unistd.h>
#include <fstream>

#include "fs/mount_point.h"
#include "index/base/error.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::fs {
namespace {

MountOptions parsed(std::string_view words) {
  MountOptions options = MountOptions::for_caller();
  apply_mount_words(words, options);
  return options;
}

TEST(MountOptions, BelongToTheCallerAtFirst) {
  const MountOptions options = parsed("");
  EXPECT_EQ(options.uid, ::getuid());
  EXPECT_EQ(options.gid, ::getgid());
  EXPECT_FALSE(options.allow_other);
}

TEST(MountOptions, TakeOwnersByNumberAndName) {
  EXPECT_EQ(parsed("uid=1234,gid=4321").uid, 1234u);
  EXPECT_EQ(parsed("uid=1234,gid=4321").gid, 4321u);
  EXPECT_EQ(parsed("uid=root,gid=root").uid, 0u);
  MountOptions options;
  apply_owner("1234:4321", options);
  EXPECT_EQ(options.uid, 1234u);
  EXPECT_EQ(options.gid, 4321u);
  apply_owner("root", options);
  EXPECT_EQ(options.uid, 0u);
  EXPECT_EQ(options.gid, 0u);
  apply_owner(":77", options);
  EXPECT_EQ(options.uid, 0u);
  EXPECT_EQ(options.gid, 77u);
}

TEST(MountOptions, RefuseOwnersThatAreNone) {
  MountOptions options;
  EXPECT_THROW(apply_owner("", options), UsageError);
  EXPECT_THROW(apply_owner(":", options), UsageError);
  EXPECT_THROW(apply_owner("no-such-user-here", options), UsageError);
  EXPECT_THROW(apply_owner("root:no-such-group-here", options), UsageError);
  EXPECT_THROW(apply_owner("4294967295", options), UsageError);
  EXPECT_THROW(parsed("uid="), UsageError);
}

TEST(MountOptions, TakeWhatAnFstabLineMaySay) {
  EXPECT_NO_THROW(
      parsed("defaults,ro,auto,noauto,nofail,_netdev,user,nosuid,nodev,x-systemd.automount,comment="
             "history"));
  EXPECT_TRUE(parsed("ro,allow_other").allow_other);
  EXPECT_EQ(parsed("noatime,noexec").flags, (std::vector<std::string>{"noatime", "noexec"}));
}

TEST(MountOptions, TakeAUmaskAndTheSizeOfTheCache) {
  EXPECT_EQ(parsed("umask=027").umask, 027u);
  for (const char* bad : {"umask=", "umask=8", "umask=1000", "umask=-1"})
    EXPECT_THROW(parsed(bad), UsageError) << bad;
  EXPECT_EQ(parsed("cache=256M").cache_bytes, size_t{256} << 20);
  EXPECT_EQ(parsed("cache=1G").cache_bytes, size_t{1} << 30);
  EXPECT_EQ(parsed("cache=16777216").cache_bytes, size_t{16} << 20);
  for (const char* bad : {"cache=", "cache=M", "cache=1X", "cache=1MB", "cache=1K", "cache=-1M",
                          "cache=99999999999999T"})
    EXPECT_THROW(parsed(bad), UsageError) << bad;
}

TEST(MountOptions, TakeAFormatForTheNamesOfSnapshots) {
  EXPECT_EQ(parsed("ro").time_format, "%Y-%m-%dT%H:%M:%SZ");
  EXPECT_EQ(parsed("time_format=%Y-%m-%d_%H-%M-%S").time_format, "%Y-%m-%d_%H-%M-%S");
  for (const char* bad :
       {"time_format=", "time_format=%Y/%m/%d", "time_format=latest", "time_format=."})
    EXPECT_THROW(parsed(bad), UsageError) << bad;
}

TEST(MountOptions, RefuseWritingAndTheUnknown) {
  EXPECT_THROW(parsed("rw"), UsageError);
  EXPECT_THROW(parsed("ro,suid"), UsageError);
  EXPECT_THROW(parsed("allow_others"), UsageError);
}

TEST(MountPoint, MustBeADirectoryAwayFromTheRepository) {
  const test::TempDir dir;
  const auto root = std::filesystem::canonical(dir.path());
  for (const char* name : {"repo", "repo/packs", "mnt", "repository-mount"})
    std::filesystem::create_directory(root / name);
  const auto repository = root / "repo";
  EXPECT_EQ(check_mountpoint(root / "mnt" / "", repository), root / "mnt");
  EXPECT_EQ(check_mountpoint(root / "repository-mount", repository), root / "repository-mount");
  std::ofstream(root / "mnt" / "precious") << "data";
  EXPECT_THROW(check_mountpoint(root / "mnt", repository), UsageError);
  EXPECT_EQ(check_mountpoint(root / "mnt", repository, true), root / "mnt");
  EXPECT_THROW(check_mountpoint("", repository), UsageError);
  EXPECT_THROW(check_mountpoint(root / "absent", repository), UsageError);
  EXPECT_THROW(check_mountpoint(repository, repository), UsageError);
  EXPECT_THROW(check_mountpoint(repository / "packs", repository), UsageError);
  EXPECT_THROW(check_mountpoint(root, repository), UsageError);
  std::filesystem::create_symlink(repository, root / "link");
  EXPECT_THROW(check_mountpoint(root / "link" / "packs", repository), UsageError);
}

TEST(MountPoint, HidesFilesOnlyWhenAllowed) {
  const test::TempDir dir;
  std::filesystem::create_directories(dir / "mnt/full");
  EXPECT_THROW(check_mountpoint(dir / "mnt", "/nonexistent/repository"), UsageError);
  EXPECT_NO_THROW(check_mountpoint(dir / "mnt", "/nonexistent/repository", true));
  EXPECT_TRUE(parsed("nonempty").nonempty);
}

TEST(MountPoint, UnmountsOnlyOurMounts) {
  const test::TempDir dir;
  EXPECT_THROW(unmount(dir.path(), false), UsageError);
  EXPECT_THROW(unmount("/proc", false), UsageError);
  EXPECT_THROW(unmount(dir / "absent", true), UsageError);
}

}  // namespace
}  // namespace tsmfs::fs
