// A server whose shards a test sets and changes, and a repository that it is backed up into.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/backup/capture.h"
#include "snapshot/model/tree_walk.h"
#include "snapshot/upkeep/check.h"
#include "tests/support/fake_influxd.h"
#include "tests/support/protobuf.h"
#include "tests/support/repository_paths.h"
#include "tests/support/snapshots_in.h"
#include "tests/support/store_fixture.h"
#include "tests/support/tar_builder.h"

namespace tsmfs::snapshot {

using std::chrono::milliseconds;

// Name and content of a shard's files, or path and content of a snapshot's.
using FileContents = std::map<std::string, std::string>;

inline std::string tsm(size_t blocks, uint64_t seed) {
  return std::string(as_text(test::make_tsm(blocks, 1000, seed)));
}

inline std::string shard_tar(const ShardPath& path, const FileContents& files) {
  std::vector<support::TarEntry> entries;
  for (const auto& [name, content] : files) entries.push_back({path.text() + "/" + name, content});
  return support::make_tar(entries, support::TarForm::kPax);
}

// meta.db with these shards, each in a group of its own; those of `deleted` are marked as taken by
// retention.
inline std::string make_meta_db(const std::map<ShardPath, FileContents>& shards,
                                uint64_t change_index, const std::set<uint64_t>& deleted,
                                uint64_t end_ns = 2000) {
  using namespace support::protobuf;
  std::map<std::string, std::map<std::string, std::string>> groups;
  for (const auto& [path, files] : shards) {
    const std::string times =
        number(2, 1000) + number(3, end_ns) + (deleted.contains(path.shard) ? number(4, 3000) : "");
    groups[path.database][path.policy] +=
        bytes(5, number(1, path.shard) + times + bytes(5, number(1, path.shard)));
  }
  std::string databases;
  for (const auto& [database, policies] : groups) {
    std::string content = bytes(1, database);
    for (const auto& [policy, shard_groups] : policies)
      content += bytes(3, bytes(1, policy) + shard_groups);
    databases += bytes(5, content);
  }
  return number(1, 0) + number(2, change_index) + number(3, 77) + databases;
}

// What the fake server is to hold. Changed by a test, then told to the fake.
struct ServerState {
  std::map<ShardPath, FileContents> shards;
  std::set<uint64_t> deleted;  // groups that retention has taken
  uint64_t change_index = 1;
  uint64_t groups_end_ns = 2000;  // of their times, which begin in 1970

  std::string meta_db() const { return make_meta_db(shards, change_index, deleted, groups_end_ns); }
  void tell_metastore(support::FakeInfluxd& fake) const {
    fake.answer_metastore({support::frame_metastore(meta_db())});
  }
  void tell_lists(support::FakeInfluxd& fake) const {
    std::map<std::string, std::string> lists;
    for (const auto& [path, files] : shards) {
      std::string& list = lists[path.database];
      list += (list.empty() ? "\"" : ",\"") + path.text() + "\"";
    }
    for (const auto& [database, list] : lists)
      fake.answer_database(database, {"{\"Paths\":[" + list + "]}\n"});
  }
  void tell(support::FakeInfluxd& fake) const {
    tell_metastore(fake);
    tell_lists(fake);
    for (const auto& [path, files] : shards)
      fake.answer_shard(path.shard, {shard_tar(path, files)});
  }
};

inline bool has_problem(const std::vector<Problem>& problems, Problem::Severity severity,
                        const std::string& path, const std::string& what) {
  for (const Problem& problem : problems)
    if (problem.severity == severity && problem.path == path &&
        problem.what.find(what) != std::string::npos)
      return true;
  for (const Problem& problem : problems)
    ADD_FAILURE() << "there is only: " << problem.path << ": " << problem.what;
  return false;
}

// However slow the machine is, answers count as quick.
inline RetryPolicy hasty_retry() {
  return {{milliseconds(1), milliseconds(2), milliseconds(1), milliseconds(1)},
          std::chrono::hours(1)};
}

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() : root(dir / "repo") { index::Repository::create({root}); }

  InfluxdClient probed_client(std::stop_token token = {}) {
    InfluxdClient client(fake->endpoint(),
                         {{milliseconds(20'000), milliseconds(20'000)}, milliseconds(20'000)},
                         std::move(token));
    client.probe();
    return client;
  }

  CaptureOptions options() const {
    CaptureOptions options;
    options.server = "server";
    options.dialect = "influxd 1.5+";
    options.jobs = 1;
    options.retry = hasty_retry();
    return options;
  }

  SnapshotPtr back_up(const CaptureOptions& how, std::stop_token token = {}) {
    const auto repository = index::Repository::open_writer({root, "test"});
    index::RepositoryWriter writer(*repository, {});
    Catalog catalog(repository->storage());
    InfluxdClient client = probed_client(token);
    return capture(client, look_at_server(client, how.filter), *repository, writer, catalog, how,
                   token)
        .snapshot;
  }
  SnapshotPtr back_up() { return back_up(options()); }

  size_t requests_for_shards() const {
    size_t count = 0;
    for (const std::string& request : fake->requests())
      count += request.find("\"ShardID\"") != std::string::npos;
    return count;
  }

  std::shared_ptr<const CatalogState> snapshots() const { return test::snapshots_in(root); }

  std::vector<std::filesystem::path> packs() const { return test::pack_files(root); }

  // What check_repository says, every byte read.
  std::vector<std::string> damages(index::ReadData read_data = index::ReadData::kYes) const {
    const auto repository = index::Repository::open_reader({root});
    Catalog catalog(repository->storage());
    std::vector<std::string> messages;
    const CheckReport report = check_repository(
        *repository, catalog,
        {read_data, [&](const std::string& message) { messages.push_back(message); }}, {});
    EXPECT_EQ(report.damages, messages.size());
    return messages;
  }
  void expect_sound() const { EXPECT_EQ(damages(), std::vector<std::string>()); }

  static void flip(const std::filesystem::path& path, uint64_t offset) {
    test::flip_byte(path, offset);
  }
  // All files below a tree, by their paths.
  static void read_below(index::Repository& repository, const index::TreeId& id,
                         const std::string& path, FileContents& out) {
    const Tree tree = read_tree(repository.objects(), id);
    for (const TreeEntry& entry : tree.entries()) {
      if (entry.kind == EntryKind::kDirectory)
        read_below(repository, entry.directory(), path + entry.name.text() + "/", out);
      else
        out[path + entry.name.text()] = as_text(test::read_all(repository, entry.file()));
    }
  }
  FileContents contents_of(const index::TreeId& tree) const {
    const auto repository = index::Repository::open_reader({root});
    FileContents contents;
    read_below(*repository, tree, "", contents);
    return contents;
  }
  // What a snapshot of `state` holds when nothing is missing.
  static FileContents expected(const ServerState& state) {
    FileContents contents;
    for (const auto& [path, files] : state.shards)
      for (const auto& [name, content] : files) contents[path.text() + "/" + name] = content;
    return contents;
  }

  test::TempDir dir;
  std::filesystem::path root;
  std::stop_source stop;
  std::optional<support::FakeInfluxd> fake{std::in_place, Dialect::k15};
};

// Three shards of two databases.
inline ServerState sample_state() {
  ServerState state;
  state.shards[{"db", "rp", 1}] = {{"000000001-000000001.tsm", tsm(60, 1)},
                                   {"000000002-000000001.tsm", tsm(30, 2)}};
  state.shards[{"db", "rp", 2}] = {{"000000001-000000001.tsm", tsm(90, 3)},
                                   {"000000001-000000001.tombstone", "tombstone"}};
  state.shards[{"other db", "two weeks", 10}] = {{"000000001-000000001.tsm", tsm(10, 4)}};
  return state;
}

// A repository with two backups of a server that has got one file more in between.
class TwoBackupsTest : public BackupTest {
 protected:
  TwoBackupsTest() {
    state.tell(*fake);
    older = back_up();
    older_files = expected(state);
    older_packs = packs();
    state.shards[{"db", "rp", 2}]["000000002-000000001.tsm"] = tsm(40, 9);
    state.tell(*fake);
    newer = back_up();
    newer_files = expected(state);
  }

  ServerState state = sample_state();
  SnapshotPtr older, newer;
  FileContents older_files, newer_files;
  std::vector<std::filesystem::path> older_packs;
};

}  // namespace tsmfs::snapshot
