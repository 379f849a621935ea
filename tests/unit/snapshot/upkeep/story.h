// The life of a repository at any place, in steps that a test can have fail.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "index/format/object_keys.h"
#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/tree_walk.h"
#include "snapshot/upkeep/check.h"
#include "snapshot/upkeep/copier.h"
#include "snapshot/upkeep/prune.h"
#include "snapshot/upkeep/repair.h"
#include "tests/support/store_fixture.h"
#include "tests/support/test_places.h"
#include "tests/unit/restorable_history.h"

namespace tsmfs::snapshot {

// Path and content of a snapshot's files.
using StoryFiles = std::map<std::string, std::string>;
// What each snapshot that a step has acknowledged holds.
using Acknowledged = std::map<index::SnapshotId, StoryFiles>;

inline std::string story_tsm(uint64_t seed) {
  return std::string(as_text(test::make_tsm(6, 700, seed)));
}

inline void read_story_tree(index::Repository& repository, const index::TreeId& id,
                            const std::string& path, StoryFiles& out) {
  const Tree tree = read_tree(repository.objects(), id);
  for (const TreeEntry& entry : tree.entries()) {
    if (entry.kind == EntryKind::kDirectory)
      read_story_tree(repository, entry.directory(), path + entry.name.text() + "/", out);
    else
      out[path + entry.name.text()] = as_text(test::read_all(repository, entry.file()));
  }
}

inline StoryFiles story_files(index::Repository& repository, const Manifest& snapshot) {
  StoryFiles files;
  read_story_tree(repository, snapshot.data, "", files);
  return files;
}

// A snapshot of two shards, of which the first is that of the one before, but for one file.
inline void write_snapshot(const index::RepositoryLocation& location, uint64_t number,
                           Acknowledged& acknowledged) {
  const auto repository = index::Repository::open_writer({location, "test"});
  const std::map<ShardPath, ShardContents> shards = {
      {{"db", "autogen", 1},
       {{"000000001-000000001.tsm", story_tsm(number)},
        {"000000002-000000001.tsm", story_tsm(number + 1)}}},
      {{"db", "autogen", 2}, {{"000000001-000000001.tsm", story_tsm(100 + number)}}}};
  const auto made = publish_shards(*repository, shards, hourly_metastore("db", {1, 2}));
  StoryFiles& files = acknowledged[made->id];
  for (const auto& [path, contents] : shards)
    for (const auto& [name, content] : contents) files[path.text() + "/" + name] = content;
}

inline void forget_first(const index::RepositoryLocation& location, Acknowledged& acknowledged) {
  const auto repository = index::Repository::open_writer({location, "test"});
  Catalog catalog(repository->storage());
  const auto state = catalog.refresh();
  if (state->snapshots.size() < 3) return;  // it is done
  acknowledged.erase(state->snapshots.front()->id);
  catalog.remove({state->snapshots.front()});
}

inline void prune_story(const index::RepositoryLocation& location, const std::stop_token& stop) {
  const auto repository = index::Repository::open_writer({location, "test"});
  Catalog catalog(repository->storage());
  PruneOptions options;
  options.max_unused = 0;
  prune_repository(*repository, catalog, options, stop);
}

inline void repair_story(const index::RepositoryLocation& location, const std::stop_token& stop) {
  const auto repository = index::Repository::open_writer({location, "test"});
  repair_repository(*repository, {}, stop);
}

// What is damaged, every byte read.
inline std::vector<std::string> story_damages(index::Repository& repository,
                                              const std::stop_token& stop = {}) {
  Catalog catalog(repository.storage());
  std::vector<std::string> damages;
  check_repository(
      repository, catalog,
      {index::ReadData::kYes, [&](const std::string& damage) { damages.push_back(damage); }}, stop);
  return damages;
}

// Copies the snapshots that `to` lacks.
inline void copy_story(const index::RepositoryLocation& from, const index::RepositoryLocation& to,
                       const std::stop_token& stop) {
  const auto source = index::Repository::open_reader({from});
  const auto target = index::Repository::open_writer({to, "test"});
  index::RepositoryWriter writer(*target, {});
  Catalog catalog(target->storage());
  catalog.refresh();
  Copier copier(*source, *target, writer, catalog, stop);
  const auto originals = Catalog(source->storage()).refresh();
  for (const SnapshotPtr& one : originals->snapshots)
    if (!copier.find_copy(*one)) copier.copy(*one);
}

// All that was acknowledged is there, what is there is whole, and nothing is damaged.
inline void expect_whole(const index::RepositoryLocation& location,
                         const Acknowledged& acknowledged) {
  const auto repository = index::Repository::open_reader({location});
  EXPECT_EQ(story_damages(*repository), std::vector<std::string>());
  const auto state = Catalog(repository->storage()).refresh();
  EXPECT_TRUE(state->is_sound());
  Acknowledged found;
  for (const SnapshotPtr& snapshot : state->snapshots)
    found[snapshot->id] = story_files(*repository, *snapshot);
  for (const auto& [id, files] : acknowledged) {
    ASSERT_TRUE(found.contains(id)) << id.hex();
    EXPECT_EQ(found.at(id), files);
  }
}

// As the last bytes of one pack's trailer go: all that is in it can be saved.
inline void damage_a_pack(index::Storage& storage) {
  const std::string key = storage.list(index::kPacksFolder).front();
  std::string bytes = *storage.get(key, uint64_t{1} << 30);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  storage.replace(key, as_bytes(bytes));
}

}  // namespace tsmfs::snapshot
