#include "index/base/directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <functional>

#include "index/base/directory_users.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "tests/support/temp_dir.h"

namespace tsmfs {
namespace {

namespace stdfs = std::filesystem;

// What every call is asked about: a file, a directory with a file, names of nothing, and a name
// that cannot be looked at.
class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest() {
    stdfs::create_directory(full_);
    std::ofstream(file_) << "four";
    std::ofstream(full_ / "b");
    std::ofstream(full_ / "a") << "four";
    stdfs::create_symlink(loop_, loop_);
    stdfs::create_symlink(dir_ / "nothing", dangling_);
  }
  // Whatever failed, it is IoError, names the path and has the errno.
  void expect_failure(const std::function<void()>& call, int error_number = ELOOP) {
    try {
      call();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const IoError& error) {
      EXPECT_EQ(error.error_number(), error_number) << error.what();
      EXPECT_NE(std::string_view(error.what()).find(dir_.path().string()), std::string_view::npos)
          << error.what();
    }
  }

  test::TempDir dir_;
  const stdfs::path file_ = dir_ / "file", full_ = dir_ / "full", loop_ = dir_ / "loop",
                    dangling_ = dir_ / "dangling", nothing_ = dir_ / "nothing",
                    below_file_ = file_ / "below", below_loop_ = loop_ / "below";
};

TEST_F(DirectoryTest, NoSuchNameIsAbsence) {
  for (const stdfs::path& absent : {nothing_, nothing_ / "below", below_file_, dangling_}) {
    EXPECT_FALSE(path_exists(absent)) << absent;
    EXPECT_FALSE(directory_exists(absent)) << absent;
    EXPECT_FALSE(holds_something(absent)) << absent;
    EXPECT_FALSE(status_if_exists(absent)) << absent;
    EXPECT_FALSE(resolve_if_exists(absent)) << absent;
    EXPECT_FALSE(open_if_exists(absent, O_RDONLY)) << absent;
  }
  for (const stdfs::path& absent : {nothing_, nothing_ / "below", below_file_}) {
    EXPECT_FALSE(link_status_if_exists(absent)) << absent;
    EXPECT_NO_THROW(remove_file(absent)) << absent;
    EXPECT_NO_THROW(remove_tree(absent)) << absent;
  }
  EXPECT_TRUE(link_status_if_exists(dangling_));
}

TEST_F(DirectoryTest, WhatCannotBeLookedAtIsNotAbsent) {
  expect_failure([&] { path_exists(loop_); });
  expect_failure([&] { directory_exists(loop_); });
  expect_failure([&] { holds_something(loop_); });
  expect_failure([&] { status_if_exists(loop_); });
  expect_failure([&] { status_of(loop_); });
  expect_failure([&] { resolve_if_exists(loop_); });
  expect_failure([&] { resolved_path(loop_); });
  expect_failure([&] { open_if_exists(loop_, O_RDONLY); });
  expect_failure([&] { list_directory(loop_); });
  expect_failure([&] { link_status_if_exists(below_loop_); });
  expect_failure([&] { remove_file(below_loop_); });
  expect_failure([&] { remove_directory(below_loop_); });
  expect_failure([&] { remove_tree(below_loop_); });
  expect_failure([&] { make_directories(below_loop_); });
  expect_failure([&] { set_mode(loop_, 0700); });
}

TEST_F(DirectoryTest, ADirectoryThatIsNoneIsNotAbsent) {
  expect_failure([&] { list_directory(file_); }, ENOTDIR);
  expect_failure([&] { list_directory(nothing_); }, ENOENT);
  expect_failure([&] { status_of(nothing_); }, ENOENT);
  expect_failure([&] { remove_directory(file_); }, ENOTDIR);
  expect_failure([&] { remove_directory(full_); }, ENOTEMPTY);
  expect_failure([&] { open_if_exists(file_, O_RDONLY | O_DIRECTORY); }, ENOTDIR);
}

// Whoever waits for the other end of a FIFO waits for ever.
TEST_F(DirectoryTest, WhatIsNoFileIsSaidToBeNone) {
  const stdfs::path fifo = nothing_;
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  for (const stdfs::path& path : {fifo, full_}) {
    EXPECT_THROW(open_file(path, O_RDONLY), CorruptError) << path;
    EXPECT_THROW(open_if_exists(path, O_RDONLY), CorruptError) << path;
    EXPECT_THROW(read_whole_file(path, 100), CorruptError) << path;
  }
}

TEST_F(DirectoryTest, ListsAllNamesInOrder) {
  EXPECT_EQ(list_directory(full_), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(holds_something(full_));
  EXPECT_TRUE(holds_something(file_));
  stdfs::create_directory(full_ / "c");
  EXPECT_TRUE(list_directory(full_ / "c").empty());
  EXPECT_FALSE(holds_something(full_ / "c"));
  EXPECT_EQ(bytes_below(dir_.path()), 8u);
  stdfs::resize_file(full_ / "a", 64 << 20);  // a hole
  EXPECT_GE(bytes_below(dir_.path()), uint64_t{64} << 20);
  EXPECT_LT(disk_bytes_below(dir_.path()), uint64_t{1} << 20);
}

TEST_F(DirectoryTest, MakesAndRemoves) {
  make_directories(full_ / "x/y/z");
  make_directories(full_ / "x/y/z");
  EXPECT_TRUE(directory_exists(full_ / "x/y/z"));
  remove_directory(full_ / "x/y/z");
  EXPECT_FALSE(path_exists(full_ / "x/y/z"));
  remove_file(full_ / "a");
  EXPECT_FALSE(path_exists(full_ / "a"));
  stdfs::create_directory_symlink(dir_.path(), full_ / "link");
  remove_tree(full_);
  EXPECT_FALSE(path_exists(full_));
  EXPECT_TRUE(path_exists(file_));
}

TEST_F(DirectoryTest, ResolvesLinks) {
  stdfs::create_directory_symlink(full_, dir_ / "link");
  EXPECT_EQ(resolve_if_exists(dir_ / "link/a"), stdfs::canonical(full_ / "a"));
  EXPECT_EQ(resolved_path(dir_ / "link/new/name"), stdfs::canonical(full_) / "new/name");
}

TEST_F(DirectoryTest, UsersAreFound) {
  const Fd open = open_file(full_ / "a", O_RDONLY);
  const auto users = find_directory_users(stdfs::canonical(full_), DirectoryUse::kFiles);
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users[0].process, ::getpid());
}

}  // namespace
}  // namespace tsmfs
