// For tests of root in directories of somebody who plants things there.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "index/base/error.h"
#include "snapshot/restore/restorer.h"
#include "tests/support/other_user.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/restorable_history.h"

namespace tsmfs::snapshot {

namespace stdfs = std::filesystem;

using test::give_to;
using test::give_tree_to;
using test::kOtherGroup;
using test::kOtherUser;
using test::own_status_of;

inline constexpr uid_t kThirdUser = 4711;
inline constexpr char kTsmFile[] = "000000001-000000001.tsm";

inline void plant_file(const stdfs::path& path, const std::string& content) {
  stdfs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

// {path: what it is, whose, and its content} of everything below a directory.
inline std::map<std::string, std::string> everything(const stdfs::path& root) {
  std::map<std::string, std::string> found;
  for (const auto& entry : stdfs::recursive_directory_iterator(root)) {
    const struct stat status = own_status_of(entry.path());
    std::string& text = found[stdfs::relative(entry.path(), root).string()];
    text = std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + " ";
    if (entry.is_regular_file()) text += read_whole_file(entry.path(), 1 << 30);
  }
  return found;
}

// A snapshot of shards 2 and 3 of database "db"; "home" with data and meta, which belong to another
// user; and "victim", root's, which looks like a data directory and like a database.
class HostileTargetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::is_root()) GTEST_SKIP() << "needs root";
    ::chmod(dir_.path().c_str(), 0755);
    for (const char* name : {"db/autogen/2", "autogen/2", "2"})
      plant_file(victim_ / name / "old.tsm", "precious");
    plant_file(victim_ / "meta.db", "precious");
    victim_before_ = everything(victim_);
    stdfs::create_directories(datadir_);
    stdfs::create_directories(metadir_);
    publish();
    request_.datadir = datadir_;
    request_.metadir = metadir_;
    mine();
  }
  void TearDown() override {
    if (IsSkipped()) return;
    EXPECT_EQ(everything(victim_), victim_before_);
  }

  // All of home is the other user's.
  void mine() const { give_tree_to(home_, kOtherUser, kOtherGroup); }

  void publish() {
    index::Repository::create({dir_ / "repo"});
    repository_ = index::Repository::open_writer({dir_ / "repo", "test"});
    const ShardContents files = {{kTsmFile, std::string(as_text(tsm_))}};
    meta_db_ = hourly_metastore("db", {2, 3});
    request_.snapshot = publish_shards(
        *repository_, {{{"db", "autogen", 2}, files}, {{"db", "autogen", 3}, files}}, meta_db_);
  }

  void run() {
    RestorePlan plan = plan_restore(*repository_, request_);
    check_target(plan, request_);
    RestoreOptions options;
    options.verify = true;
    restore(*repository_, plan, request_, options, {});
  }
  // What the restore says when it fails.
  std::string refusal() {
    try {
      run();
    } catch (const Error& error) {
      return std::string(error.what()) + "; " + error.advice();
    }
    return "nothing";
  }
  void plant(const stdfs::path& link, const stdfs::path& target) const {
    stdfs::create_directories(link.parent_path());
    stdfs::create_symlink(target, link);
    mine();
  }
  void expect_restored(uid_t user = kOtherUser, gid_t group = kOtherGroup) const {
    for (const char* name : {"db", "db/autogen", "db/autogen/2", "db/autogen/3"}) {
      const struct stat status = own_status_of(datadir_ / name);
      EXPECT_EQ(status.st_mode, S_IFDIR | 0755u) << name;
      EXPECT_EQ(status.st_uid, user) << name;
      EXPECT_EQ(status.st_gid, group) << name;
    }
    const struct stat file = own_status_of(datadir_ / "db/autogen/2" / kTsmFile);
    EXPECT_EQ(file.st_mode, S_IFREG | 0644u);
    EXPECT_EQ(file.st_uid, user);
    EXPECT_EQ(file.st_gid, group);
    const struct stat meta = own_status_of(metadir_ / "meta.db");
    EXPECT_EQ(meta.st_mode, S_IFREG | 0600u);
    EXPECT_EQ(meta.st_uid, user);
    EXPECT_EQ(meta.st_gid, group);
    EXPECT_EQ(everything(datadir_).size(), 2u + 2u + 2u) << "nothing else";
    EXPECT_EQ(everything(metadir_).size(), 1u) << "nothing else";
  }

  test::TempDir dir_;
  stdfs::path home_ = dir_ / "home", victim_ = dir_ / "victim";
  stdfs::path datadir_ = home_ / "data", metadir_ = home_ / "meta";
  std::map<std::string, std::string> victim_before_;
  ByteBuffer tsm_ = test::make_tsm(20, 500, 1);
  std::string meta_db_;
  std::unique_ptr<index::Repository> repository_;
  RestoreRequest request_;
};

}  // namespace tsmfs::snapshot
