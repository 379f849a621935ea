// For tests of directories that are worked in by descriptor.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "index/base/error.h"
#include "index/base/held_directory.h"
#include "tests/support/other_user.h"
#include "tests/support/temp_dir.h"

namespace tsmfs {

namespace stdfs = std::filesystem;

using test::give_to;
using test::is_root;
using test::kOtherGroup;
using test::kOtherUser;
using test::own_status_of;

inline std::string read(const stdfs::path& path) {
  return read_whole_file(path, 1 << 20);
}

inline void write_file(const stdfs::path& path, const std::string& content) {
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
    EXPECT_EQ(own_status_of(victim_).st_uid, ::geteuid());
    EXPECT_EQ(own_status_of(victim_ / "file").st_uid, ::geteuid());
  }

  test::TempDir dir_;
  stdfs::path home_ = dir_ / "home";
  stdfs::path victim_ = dir_ / "victim";
};

}  // namespace tsmfs
