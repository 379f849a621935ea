#include "index/base/held_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "index/base/error.h"
#include "index/base/new_file.h"
#include "tests/support/other_user.h"
#include "tests/support/temp_dir.h"

namespace tsmfs {
namespace {

namespace stdfs = std::filesystem;

using test::give_to;
using test::is_root;
using test::kOtherGroup;
using test::kOtherUser;
using test::status_of;

std::string read(const stdfs::path& path) {
  return read_whole_file(path, 1 << 20);
}

void write_file(const stdfs::path& path, const std::string& content) {
  stdfs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

// What a call throws, with its advice.
template <typename Kind, typename Call>
std::string thrown(Call call) {
  try {
    call();
  } catch (const Kind& error) {
    return std::string(error.what()) + "; " + error.advice();
  }
  return "nothing";
}

#define NEEDS_ROOT() \
  if (!is_root()) GTEST_SKIP() << "needs root"

// "home" belongs to another user when root runs the test; "victim" is ours, with a file in it.
class HeldDirectoryTest : public ::testing::Test {
 protected:
  HeldDirectoryTest() {
    ::chmod(dir_.path().c_str(), 0755);
    stdfs::create_directory(home_);
    write_file(victim_ / "file", "precious");
    if (is_root()) give_to(home_, kOtherUser, kOtherGroup);
  }
  // A link in the home that its owner has made.
  void plant(const std::string& name, const stdfs::path& target) {
    stdfs::create_symlink(target, home_ / name);
    if (is_root()) give_to(home_ / name, kOtherUser, kOtherGroup);
  }
  void expect_victim_untouched() const {
    EXPECT_EQ(read(victim_ / "file"), "precious");
    EXPECT_EQ(std::distance(stdfs::directory_iterator(victim_), {}), 1);
    EXPECT_EQ(status_of(victim_).st_uid, ::geteuid());
    EXPECT_EQ(status_of(victim_ / "file").st_uid, ::geteuid());
  }

  test::TempDir dir_;
  stdfs::path home_ = dir_ / "home";
  stdfs::path victim_ = dir_ / "victim";
};

TEST_F(HeldDirectoryTest, TakesSingleComponentsOnly) {
  const Directory home = Directory::open(home_);
  for (const std::string& name :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/"),
        std::string("../victim"), std::string("a\0b", 3)}) {
    EXPECT_THROW(home.status(name), UsageError);
    EXPECT_THROW(home.find_directory(name), UsageError);
    EXPECT_THROW(home.enter(name), UsageError);
    EXPECT_THROW(home.make_directory(name), UsageError);
    EXPECT_THROW(home.open_file(name), UsageError);
    EXPECT_THROW(home.create_file(name), UsageError);
    EXPECT_THROW(home.rename(name, home, "x"), UsageError);
    EXPECT_THROW(home.rename("x", home, name), UsageError);
    EXPECT_THROW(home.rename_new("x", home, name), UsageError);
    EXPECT_THROW(home.exchange("x", name), UsageError);
    EXPECT_THROW(home.remove_tree(name), UsageError);
    EXPECT_THROW(home.remove_empty_directory(name), UsageError);
  }
}

TEST_F(HeldDirectoryTest, ReachNamesWhatIsMissing) {
  const auto [directory, missing] = Directory::reach(home_ / "a" / "." / "b");
  EXPECT_EQ(directory.path(), home_);
  EXPECT_EQ(missing, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(Directory::reach(dir_ / "home/").missing.empty());
  EXPECT_EQ(Directory::open(home_ / "../home").real_path(), home_);
  EXPECT_THROW(Directory::reach(home_ / "a/../b"), IoError);
  EXPECT_THROW(Directory::open(home_ / "a"), IoError);
  EXPECT_EQ(thrown<UsageError>([&] { Directory::reach(victim_ / "file" / "x"); }),
            (victim_ / "file").string() + " is not a directory; ");
}

TEST_F(HeldDirectoryTest, ReachTakesRelativePaths) {
  EXPECT_EQ(Directory::open("").real_path(), stdfs::current_path());
  EXPECT_EQ(Directory::open(stdfs::relative(home_)).real_path(), home_);
}

TEST_F(HeldDirectoryTest, OnlyENOENTIsAbsence) {
  NEEDS_ROOT();
  ::chmod(home_.c_str(), 0600);  // its owner may not search it
  const Directory home = Directory::open(home_);
  EXPECT_THROW(home.status("x"), IoError);
  EXPECT_THROW(home.find_directory("x"), IoError);
  EXPECT_THROW(home.remove_tree("x"), IoError);
}

TEST_F(HeldDirectoryTest, StaysWhereItWasWhenThePathLeadsElsewhere) {
  const Directory home = Directory::open(home_);
  stdfs::rename(home_, dir_ / "moved");
  stdfs::create_directory_symlink(victim_, home_);
  home.create_file("new");
  home.remove_tree("file");
  EXPECT_TRUE(stdfs::exists(dir_ / "moved/new"));
  expect_victim_untouched();
}

TEST_F(HeldDirectoryTest, FollowsNoLinkUnderAName) {
  plant("link", victim_ / "file");
  plant("dirlink", victim_);
  plant("dangling", victim_ / "new");
  const Directory home = Directory::open(home_);
  EXPECT_THROW(home.create_file("link"), IoError);
  EXPECT_THROW(home.create_file("dangling"), IoError);
  EXPECT_THROW(home.make_directory("dangling"), IoError);
  EXPECT_THROW(home.open_file("link"), UsageError);
  EXPECT_THROW(home.enter("dirlink"), UsageError);
  EXPECT_TRUE(S_ISLNK(home.status("link")->st_mode));
  for (const char* name : {"link", "dirlink", "dangling"}) home.remove_tree(name);
  EXPECT_TRUE(home.empty());
  expect_victim_untouched();
}

TEST_F(HeldDirectoryTest, OpensPlainFilesOnly) {
  ASSERT_EQ(::mkfifo((home_ / "fifo").c_str(), 0666), 0);
  stdfs::create_directory(home_ / "directory");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (home_ / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(socket.number(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::chmod((home_ / "socket").c_str(), 0666);
  const Directory home = Directory::open(home_);
  for (const char* name : {"fifo", "socket", "directory"}) {
    EXPECT_EQ(thrown<UsageError>([&] { home.open_file(name); }),
              (home_ / name).string() + " is a link, or no file; put a plain file there");
    EXPECT_THROW(home.create_file(name), IoError) << name;
  }
}

TEST_F(HeldDirectoryTest, RemovesTreesAndNotWhatTheirLinksLeadTo) {
  write_file(home_ / "tree/deep/er/file", "x");
  write_file(home_ / "tree/other", "x");
  stdfs::create_directory_symlink(victim_, home_ / "tree/deep/link");
  stdfs::create_hard_link(victim_ / "file", home_ / "tree/hard");
  if (is_root()) test::give_tree_to(home_ / "tree/deep", kOtherUser, kOtherGroup);
  if (is_root()) give_to(home_ / "tree", kOtherUser, kOtherGroup);
  const Directory home = Directory::open(home_);
  home.remove_tree("tree");
  home.remove_tree("tree");  // absent is fine
  EXPECT_TRUE(home.empty());
  expect_victim_untouched();
}

TEST_F(HeldDirectoryTest, RemovalHasADepth) {
  stdfs::path deep = home_ / "d";
  for (int i = 0; i < 70; ++i) deep /= "d";
  stdfs::create_directories(deep);
  if (is_root()) test::give_tree_to(home_, kOtherUser, kOtherGroup);
  const Directory home = Directory::open(home_);
  EXPECT_NE(thrown<Error>([&] { home.remove_tree("d"); }).find("64 directories deep"),
            std::string::npos);
}

TEST_F(HeldDirectoryTest, RemovalStaysOnItsFileSystem) {
  NEEDS_ROOT();
  stdfs::create_directories(home_ / "tree/mounted");
  give_to(home_ / "tree", kOtherUser, kOtherGroup);
  if (::mount("none", (home_ / "tree/mounted").c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "cannot mount";
  write_file(home_ / "tree/mounted/file", "x");
  EXPECT_THROW(Directory::open(home_).remove_tree("tree"), IoError);
  EXPECT_TRUE(stdfs::exists(home_ / "tree/mounted/file"));
  ::umount((home_ / "tree/mounted").c_str());
}

TEST_F(HeldDirectoryTest, ExchangesAndRenames) {
  const Directory home = Directory::open(home_);
  home.create_file("one");
  const Directory inner = home.make_directory("two");
  inner.create_file("inside");
  if (!home.exchange("one", "two")) GTEST_SKIP() << "the file system cannot";
  EXPECT_TRUE(stdfs::exists(home_ / "one/inside"));
  EXPECT_THROW(home.rename_new("two", home, "one"), IoError);
  home.rename_new("two", home, "three");
  home.rename("three", inner, "inside");  // replaces
  EXPECT_EQ(home.list(), std::vector<std::string>{"one"});
}

TEST_F(HeldDirectoryTest, UnnamedFilesLeaveNothing) {
  const Directory home = Directory::open(home_);
  const Fd file = home.create_unnamed();
  write_all(file, as_bytes(std::string("x")), "unnamed");
  EXPECT_TRUE(home.empty());
}

// ---- whose rights ----

TEST_F(HeldDirectoryTest, RootActsAsTheOwner) {
  NEEDS_ROOT();
  const Directory home = Directory::open(home_);
  EXPECT_EQ(home.rights()->user, kOtherUser);
  home.create_file("file");
  home.make_directory("directory");
  for (const char* name : {"file", "directory"})
    EXPECT_EQ(status_of(home_ / name).st_uid, kOtherUser) << name;
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

TEST_F(HeldDirectoryTest, ALinkIsFollowedAsItsOwner) {
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

TEST_F(HeldDirectoryTest, ARootsLinkInTheOwnersDirectoryIsFollowedAsTheOwner) {
  NEEDS_ROOT();
  stdfs::create_directory_symlink(victim_, home_ / "link");  // somebody else may have put it there
  EXPECT_EQ(Directory::open(home_ / "link").rights()->user, kOtherUser);
  stdfs::create_directory_symlink(victim_, dir_ / "ours");
  EXPECT_EQ(Directory::open(dir_ / "ours").rights()->user, 0u);
}

TEST_F(HeldDirectoryTest, FollowsNoLinkOfOthersWhereEverybodyWrites) {
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

TEST_F(HeldDirectoryTest, LinksEnd) {
  plant("a", home_ / "b");
  plant("b", home_ / "a");
  plant("nowhere", home_ / "absent");
  EXPECT_THROW(Directory::reach(home_ / "a"), IoError);
  EXPECT_EQ(thrown<IoError>([&] { Directory::reach(home_ / "nowhere"); }),
            "cannot follow the link " + (home_ / "nowhere").string() +
                ": No such file or directory; make the directory that it leads to, or remove it");
}

TEST_F(HeldDirectoryTest, NamedUsersDirectoriesAreEnteredAsThatUser) {
  NEEDS_ROOT();
  constexpr uid_t kNamed = 4711;
  Directory home = Directory::open(home_);
  home.may_act_as(kNamed);
  Directory made = home.make_directory("made");
  made.give(0755, {kNamed, kNamed});
  made.create_file("file");
  EXPECT_EQ(status_of(home_ / "made/file").st_uid, kNamed);
  EXPECT_EQ(home.enter("made").rights()->user, kNamed);
  home.remove_tree("made");
  // A link may lead to any directory of that user.
  stdfs::create_directory(dir_ / "theirs");
  give_to(dir_ / "theirs", kNamed, kNamed);
  plant("link", dir_ / "theirs");
  EXPECT_EQ(home.find_directory("link")->rights()->user, kOtherUser);
}

TEST_F(HeldDirectoryTest, GivesAwayOnlyWhatItMade) {
  NEEDS_ROOT();
  const Directory home = Directory::open(home_);
  write_file(home_ / "roots", "x");
  const Fd roots = open_file(home_ / "roots", O_RDONLY);
  EXPECT_THROW(home.give(roots, "roots", 0644, {kOtherUser, kOtherGroup}), BusyError);
  stdfs::create_directory(home_ / "directory");
  ::chmod((home_ / "directory").c_str(), 0755);
  Directory directory = home.enter("directory");
  EXPECT_THROW(directory.give(0755, {kOtherUser, kOtherGroup}), BusyError);
  EXPECT_EQ(status_of(home_ / "roots").st_uid, 0u);
  EXPECT_EQ(status_of(home_ / "directory").st_uid, 0u);
}

TEST_F(HeldDirectoryTest, RightsAreOfOneThread) {
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

TEST_F(HeldDirectoryTest, ActsWithoutRootsGroups) {
  NEEDS_ROOT();
  ASSERT_EQ(::chown(victim_.c_str(), 0, 0), 0);
  ::chmod(victim_.c_str(), 0775);
  plant("link", victim_);
  EXPECT_THROW(Directory::open(home_ / "link").create_file("new"), IoError);
}

// ---- new files ----

TEST_F(HeldDirectoryTest, NewFileReplacesAPlantedLinkAndNotItsTarget) {
  plant("temporary", victim_ / "file");
  plant("final", victim_ / "file");
  const Directory home = Directory::open(home_);
  NewFile file(home, "temporary");
  file.write(as_bytes(std::string("new")));
  if (is_root()) file.give(0640, {kOtherUser, kOtherGroup});
  EXPECT_THROW(file.publish_new("final"), IoError);
  file.publish("final");
  EXPECT_EQ(read(home_ / "final"), "new");
  EXPECT_EQ(home.list(), std::vector<std::string>{"final"});
  EXPECT_EQ(status_of(home_ / "final").st_gid, is_root() ? kOtherGroup : ::getegid());
  expect_victim_untouched();
}

TEST_F(HeldDirectoryTest, NewFileUnpublishedIsGone) {
  const Directory home = Directory::open(home_);
  { NewFile file(home, "temporary"); }
  EXPECT_TRUE(home.empty());
}

}  // namespace
}  // namespace tsmfs
