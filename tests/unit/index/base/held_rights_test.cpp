// With whose rights root works in held directories.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <thread>

#include "tests/unit/held_directory_fixture.h"

namespace tsmfs {
namespace {

using HeldRightsTest = HeldDirectoryTest;

TEST_F(HeldRightsTest, RootActsAsTheOwner) {
  NEEDS_ROOT();
  const Directory home = Directory::open(home_);
  EXPECT_EQ(home.rights()->user, kOtherUser);
  home.create_file("file");
  home.make_directory("directory");
  for (const char* name : {"file", "directory"})
    EXPECT_EQ(own_status_of(home_ / name).st_uid, kOtherUser) << name;
  ::chmod(home_.c_str(), 0555);
  EXPECT_EQ(thrown<IoError>([&] { home.create_file("more"); }),
            "cannot create " + (home_ / "more").string() +
                ": Permission denied; root works there with the rights of user 12345, to whom the "
                "directory or a link on the way belongs: namei -l shows whose each part of the "
                "path is");
  EXPECT_THROW(home.require_writable(), IoError);
  EXPECT_EQ(::setfsuid(static_cast<uid_t>(-1)), 0) << "root is root again";
  Directory::open(victim_).require_writable();
}

TEST_F(HeldRightsTest, ALinkIsFollowedAsItsOwner) {
  NEEDS_ROOT();
  stdfs::create_directory(dir_ / "disk");
  give_to(dir_ / "disk", kOtherUser, kOtherGroup);
  plant("own", dir_ / "disk");
  plant("relative", "../disk");
  plant("ours", victim_);
  Directory::open(home_ / "own").create_file("a");
  Directory::open(home_ / "relative").create_file("b");
  EXPECT_TRUE(stdfs::exists(dir_ / "disk/a"));
  EXPECT_TRUE(stdfs::exists(dir_ / "disk/b"));
  const Directory ours = Directory::open(home_ / "ours");
  EXPECT_EQ(ours.rights()->user, kOtherUser);
  EXPECT_THROW(ours.create_file("new"), IoError);
  EXPECT_THROW(ours.remove_tree("file"), IoError);
  const auto below = Directory::open(home_).find_directory("ours");
  ASSERT_TRUE(below);
  EXPECT_THROW(below->create_file("new"), IoError);
  EXPECT_THROW(Directory::reach(home_ / "ours" / "below").directory.make_directory("below"),
               IoError);
  expect_victim_untouched();
}

TEST_F(HeldRightsTest, ARootsLinkInTheOwnersDirectoryIsFollowedAsTheOwner) {
  NEEDS_ROOT();
  stdfs::create_directory_symlink(victim_, home_ / "link");  // somebody else may have put it there
  EXPECT_EQ(Directory::open(home_ / "link").rights()->user, kOtherUser);
  stdfs::create_directory_symlink(victim_, dir_ / "ours");
  EXPECT_EQ(Directory::open(dir_ / "ours").rights()->user, 0u);
}

TEST_F(HeldRightsTest, FollowsNoLinkOfOthersWhereEverybodyWrites) {
  NEEDS_ROOT();
  const stdfs::path shared = dir_ / "shared";
  stdfs::create_directory(shared);
  ::chmod(shared.c_str(), 01777);
  stdfs::create_directory_symlink(home_, shared / "link");
  give_to(shared / "link", 4711, 4711);
  EXPECT_EQ(Directory::open(shared / "link").rights()->user, 4711u);
  stdfs::create_directory_symlink(shared / "link", dir_ / "first");
  give_to(dir_ / "first", kOtherUser, kOtherGroup);
  EXPECT_THROW(Directory::open(dir_ / "first"), IoError);
}

TEST_F(HeldRightsTest, LinksEnd) {
  plant("a", home_ / "b");
  plant("b", home_ / "a");
  plant("nowhere", home_ / "absent");
  EXPECT_THROW(Directory::reach(home_ / "a"), IoError);
  EXPECT_EQ(thrown<IoError>([&] { Directory::reach(home_ / "nowhere"); }),
            "cannot follow the link " + (home_ / "nowhere").string() +
                ": No such file or directory; make the directory that it leads to, or remove it");
}

TEST_F(HeldRightsTest, NamedUsersDirectoriesAreEnteredAsThatUser) {
  NEEDS_ROOT();
  constexpr uid_t kNamed = 4711;
  Directory home = Directory::open(home_);
  home.may_act_as(kNamed);
  Directory made = home.make_directory("made");
  made.give(0755, {kNamed, kNamed});
  made.create_file("file");
  EXPECT_EQ(own_status_of(home_ / "made/file").st_uid, kNamed);
  EXPECT_EQ(home.enter("made").rights()->user, kNamed);
  home.remove_tree("made");
  // A link may lead to any directory of that user.
  stdfs::create_directory(dir_ / "theirs");
  give_to(dir_ / "theirs", kNamed, kNamed);
  plant("link", dir_ / "theirs");
  EXPECT_EQ(home.find_directory("link")->rights()->user, kOtherUser);
}

TEST_F(HeldRightsTest, GivesAwayOnlyWhatItMade) {
  NEEDS_ROOT();
  const Directory home = Directory::open(home_);
  write_file(home_ / "roots", "x");
  const Fd roots = open_file(home_ / "roots", O_RDONLY);
  EXPECT_THROW(home.give(roots, "roots", 0644, {kOtherUser, kOtherGroup}), BusyError);
  stdfs::create_directory(home_ / "directory");
  ::chmod((home_ / "directory").c_str(), 0755);
  Directory directory = home.enter("directory");
  EXPECT_THROW(directory.give(0755, {kOtherUser, kOtherGroup}), BusyError);
  EXPECT_EQ(own_status_of(home_ / "roots").st_uid, 0u);
  EXPECT_EQ(own_status_of(home_ / "directory").st_uid, 0u);
}

TEST_F(HeldRightsTest, RightsAreOfOneThread) {
  NEEDS_ROOT();
  const ActAs act(rights_of(kOtherUser));
  EXPECT_EQ(::setfsuid(static_cast<uid_t>(-1)), static_cast<int>(kOtherUser));
  std::thread([&] {
    // Inherited at its start; its own from then on.
    ::setfsuid(0);
    EXPECT_EQ(::setfsuid(static_cast<uid_t>(-1)), 0);
  }).join();
  EXPECT_EQ(::setfsuid(static_cast<uid_t>(-1)), static_cast<int>(kOtherUser));
}

TEST_F(HeldRightsTest, AllGroupsOfAUserCount) {
  NEEDS_ROOT();
  const auto may_write = [&](const RightsPtr& rights) {
    const ActAs act(rights);
    return ::faccessat(AT_FDCWD, victim_.c_str(), W_OK, AT_EACCESS) == 0;
  };
  give_to(victim_, 0, 4242);
  ::chmod(victim_.c_str(), 0770);
  using Groups = std::vector<gid_t>;
  EXPECT_TRUE(
      may_write(std::make_shared<Rights>(Rights{kOtherUser, kOtherGroup, Groups{1, 4242}})));
  EXPECT_TRUE(may_write(std::make_shared<Rights>(Rights{kOtherUser, 4242, Groups{}})));
  EXPECT_FALSE(may_write(std::make_shared<Rights>(Rights{kOtherUser, kOtherGroup, Groups{1}})));
  EXPECT_TRUE(may_write(process_rights()));
}

TEST_F(HeldRightsTest, UsersHaveTheGroupsOfTheSystem) {
  EXPECT_EQ(rights_of(0)->group, 0u);
  const RightsPtr unknown = rights_of(kOtherUser);
  EXPECT_TRUE(unknown->groups.empty());
  EXPECT_NE(unknown->group, 0u);
  EXPECT_EQ(describe_user(kOtherUser), "user 12345");
  EXPECT_EQ(describe_user(0), "user 0 (root)");
}

TEST_F(HeldRightsTest, ActsWithoutRootsGroups) {
  NEEDS_ROOT();
  ASSERT_EQ(::chown(victim_.c_str(), 0, 0), 0);
  ::chmod(victim_.c_str(), 0775);
  plant("link", victim_);
  EXPECT_THROW(Directory::open(home_ / "link").create_file("new"), IoError);
}

}  // namespace
}  // namespace tsmfs
