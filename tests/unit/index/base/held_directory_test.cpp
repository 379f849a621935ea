#include "index/base/held_directory.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>

#include "index/base/new_file.h"
#include "tests/unit/held_directory_fixture.h"

namespace tsmfs {
namespace {

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
  EXPECT_EQ(own_status_of(home_ / "final").st_gid, is_root() ? kOtherGroup : ::getegid());
  expect_victim_untouched();
}

TEST_F(HeldDirectoryTest, NewFileUnpublishedIsGone) {
  const Directory home = Directory::open(home_);
  { NewFile file(home, "temporary"); }
  EXPECT_TRUE(home.empty());
}

}  // namespace
}  // namespace tsmfs
