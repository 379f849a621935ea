// A snapshot that is restored into directories.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>

#include "index/base/error.h"
#include "index/base/file.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/restore/restorer.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/restorable_history.h"

namespace tsmfs::snapshot {

namespace stdfs = std::filesystem;

// {path: content} of everything below a directory; directories have the content "/".
inline std::map<std::string, std::string> contents_below(const stdfs::path& root) {
  std::map<std::string, std::string> found;
  for (const auto& entry : stdfs::recursive_directory_iterator(root)) {
    const std::string name = stdfs::relative(entry.path(), root).string();
    found[name] = entry.is_directory() ? "/" : read_whole_file(entry.path(), 1 << 30);
  }
  return found;
}

inline void write_text(const stdfs::path& path, const std::string& content) {
  stdfs::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

// A repository with a snapshot of shards 2 and 10 of database "db", and a target beside it.
class RestorerTest : public ::testing::Test {
 protected:
  RestorerTest() {
    stdfs::create_directory(datadir_);
    stdfs::create_directory(metadir_);
    index::Repository::create({dir_ / "repo"});
    repository_ = index::Repository::open_writer({dir_ / "repo", "test"});
    tsm_ = test::make_tsm(1000, 1500, 1);
    small_ = test::make_tsm(3, 100, 2);
    request_.metadir = metadir_;
    request_.datadir = datadir_;
    publish([](SnapshotBuilder&) {});
  }

  using Files = ShardContents;

  // Makes the request's snapshot.
  void publish(const std::function<void(SnapshotBuilder&)>& change,
               const std::string& tombstone = "gone",
               const std::string& meta_db = hourly_metastore("db", {2, 10})) {
    publish_shards(
        {{{"db", "autogen", 2},
          {{"000000001-000000001.tsm", std::string(as_text(tsm_))},
           {"000000001-000000001.tombstone", tombstone}}},
         {{"db", "autogen", 10}, {{"000000002-000000001.tsm", std::string(as_text(small_))}}}},
        meta_db, change);
  }
  void publish_shards(
      const std::map<ShardPath, Files>& shards,
      const std::string& meta_db = hourly_metastore("db", {2, 10}),
      const std::function<void(SnapshotBuilder&)>& change = [](SnapshotBuilder&) {}) {
    request_.snapshot = snapshot::publish_shards(*repository_, shards, meta_db, change);
  }

  RestorePlan run(const RestoreOptions& options = {}, std::stop_token stop = {}) {
    RestorePlan plan = plan_restore(*repository_, request_);
    check_target(plan, request_);
    restore(*repository_, plan, request_, options, std::move(stop));
    return plan;
  }
  // What run() says when it refuses; the target must be what it was.
  template <typename Kind>
  std::string refusal() {
    const auto before = contents_below(dir_ / "target");
    std::string said = "nothing";
    try {
      run();
    } catch (const Kind& error) {
      said = std::string(error.what()) + "; " + error.advice();
    }
    EXPECT_EQ(contents_below(dir_ / "target"), before) << "something was changed";
    return said;
  }
  void expect_shard_2(const std::string& path = "db/autogen/2") const {
    const auto found = contents_below(datadir_ / path);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found.at("000000001-000000001.tsm"), as_text(tsm_));
    EXPECT_EQ(found.at("000000001-000000001.tombstone"), "gone");
  }
  std::string meta_db() const { return read_whole_file(metadir_ / "meta.db", 1 << 20); }

  test::TempDir dir_;
  stdfs::path datadir_ = (stdfs::create_directory(dir_ / "target"), dir_ / "target" / "data");
  stdfs::path metadir_ = dir_ / "target" / "meta";
  ByteBuffer tsm_, small_;
  std::unique_ptr<index::Repository> repository_;
  RestoreRequest request_;
};

}  // namespace tsmfs::snapshot
