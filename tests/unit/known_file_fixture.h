// Files that the lookup knows, and whose packs go.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <string>

#include "index/format/config.h"
#include "index/format/recipe_needs.h"
#include "snapshot/import/import.h"
#include "snapshot/upkeep/prune.h"
#include "tests/support/repository_paths.h"
#include "tests/unit/import_fixture.h"

namespace tsmfs::snapshot {

// Files that were stored in several small packs, some of which a prune takes.
class KnownFileTest : public ImportTest {
 protected:
  KnownFileTest() {
    const auto path = test::RepositoryPaths(root).config();
    index::Config config = index::decode_config(read_whole_file(path, 1 << 20), "config");
    config.pack_bytes = 256 << 10;
    config.frame_bytes = 4096;
    std::ofstream(path) << index::encode_config(config);
  }

  SnapshotPtr import_files(const FileContents& files, int64_t hour) {
    const auto shard = source / "db" / "rp" / "1";
    std::filesystem::remove_all(shard);
    for (const auto& [name, content] : files) write_file(shard / name, content);
    const DataDir found = read_data_dir({source, {}, {}});
    const auto result = with_target(
        [&](const ImportOptions& options, ImportTarget& target) {
          return import_data_dir(found, options, target, {});
        },
        Timestamp{(kEpoch + 3600 * hour) * kSecond});
    return result.reports.at(0).snapshot;
  }
  void forget(const SnapshotPtr& snapshot) {
    const auto repository = index::Repository::open_writer({root, "test"});
    Catalog(repository->storage()).remove({snapshot});
  }
  void prune(double max_unused) {
    const auto repository = index::Repository::open_writer({root, "test"});
    Catalog catalog(repository->storage());
    PruneOptions options;
    options.max_unused = max_unused;
    prune_repository(*repository, catalog, options, {});
  }
  static std::string random_text(size_t bytes, uint64_t seed) {
    return std::string(as_text(test::random_bytes(bytes, seed)));
  }
  static index::FileId id_in(index::Repository& repository, const std::string& content) {
    return repository.key().digest<index::FileId>(as_bytes(content));
  }

  const std::string returning_ = random_text(700'000, 1);
  const FileContents both_ = {{"000000001-000000001.tsm", returning_},
                              {"000000002-000000001.tsm", random_text(300'000, 2)}};
  const FileContents one_ = {{"000000002-000000001.tsm", both_.at("000000002-000000001.tsm")}};
};

// As a repository that was pruned by an older tsmfs: the entry is there, its pack is not.
class StaleEntryTest : public KnownFileTest {
 protected:
  StaleEntryTest() {
    const auto first = import_files(both_, 1);
    import_files(one_, 2);
    forget(first);
    const auto repository = index::Repository::open_writer({root, "test"});
    const auto recipe = repository->objects().read_recipe(id_in(*repository, returning_));
    const index::PackId gone = packs_needed(*recipe).front();
    std::optional<index::PackNumber> number;
    repository->lookup().for_each_pack([&](index::PackNumber one, const index::PackRecord& record) {
      if (record.id == gone) number = one;
    });
    const auto reader = repository->packs().open_anew(gone);
    repository->lookup().remove_pack(*number, reader->frames(), reader->read_blobs());
    std::filesystem::remove(test::RepositoryPaths(repository->local().root()).pack(gone));
    EXPECT_TRUE(repository->lookup().find_file(id_in(*repository, returning_)));
  }
};

}  // namespace tsmfs::snapshot
