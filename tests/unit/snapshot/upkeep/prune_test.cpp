#include "snapshot/upkeep/prune.h"

#include <gtest/gtest.h>

#include <fstream>

#include "index/base/error.h"
#include "index/pack/pack_reader.h"
#include "index/storage/directory_storage.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/repository_paths.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

PruneOptions max_unused(double share) {
  PruneOptions how;
  how.max_unused = share;
  return how;
}
PruneOptions dry_run() {
  PruneOptions how;
  how.dry_run = true;
  return how;
}
PruneOptions accept_loss() {
  PruneOptions how;
  how.accept_loss = true;
  return how;
}

class PruneTest : public BackupTest {
 protected:
  // A dry run takes no lock.
  PruneReport prune(const PruneOptions& how = {}) {
    const auto repository = how.dry_run ? index::Repository::open_reader({root})
                                        : index::Repository::open_writer({root, "test"});
    Catalog catalog(repository->storage());
    return prune_repository(*repository, catalog, how, stop.get_token());
  }
  SnapshotPtr back_up_state() {
    state.tell(*fake);
    return back_up();
  }
  // With a file that was not there before.
  SnapshotPtr back_up_one_more() {
    state.shards[{"db", "rp", 2}]["000000002-000000001.tsm"] = tsm(40, 9);
    return back_up_state();
  }
  void forget(const SnapshotPtr& snapshot) {
    stdfs::remove(test::RepositoryPaths(root).snapshot(snapshot->id));
  }
  uint64_t pack_bytes() const {
    uint64_t sum = 0;
    for (const auto& pack : packs()) sum += stdfs::file_size(pack);
    return sum;
  }

  ServerState state = sample_state();
};

TEST_F(PruneTest, NothingGoesWhileEverySnapshotIsNeeded) {
  back_up_state();
  const auto newer = back_up_one_more();
  const auto before = packs();
  const PruneReport report = prune();
  EXPECT_EQ(report.packs, before.size());
  EXPECT_EQ(report.unused_bytes, 0u);
  EXPECT_EQ(packs(), before);
  EXPECT_EQ(contents_of(newer->data), expected(state));
}

TEST_F(PruneTest, RefusesWhileAManifestCannotBeLookedAt) {
  const auto kept = back_up_state();
  const auto manifest = test::RepositoryPaths(root).snapshot(kept->id), aside = dir / "aside";
  stdfs::rename(manifest, aside);
  stdfs::create_symlink(manifest, manifest);
  const auto before = packs();
  EXPECT_THROW(prune(), IoError);
  EXPECT_THROW(prune(accept_loss()), IoError);
  EXPECT_EQ(packs(), before);
  stdfs::rename(aside, manifest);
  EXPECT_EQ(contents_of(kept->data), expected(state));
}

// A bad sector of a manifest today may be read tomorrow.
TEST_F(PruneTest, AReadOfTheCatalogThatFailsCostsNoPack) {
  const auto first = back_up_state();
  const auto first_files = expected(state);
  const auto second = back_up_one_more();
  const auto all = packs();
  test::with_each_fault([&](size_t fails, test::When when) {
    const auto repository = index::Repository::open_writer({root, "test"});
    test::FaultyStorage faulty(repository->storage(), fails, when);
    Catalog catalog(faulty);
    SCOPED_TRACE(fails);
    try {
      prune_repository(*repository, catalog, accept_loss(), stop.get_token());
    } catch (const Error&) {
      EXPECT_TRUE(faulty.has_failed());
    }
    EXPECT_EQ(packs(), all);
    return faulty.has_failed();
  });
  EXPECT_EQ(contents_of(first->data), first_files);
  EXPECT_EQ(contents_of(second->data), expected(state));
}

TEST_F(PruneTest, PackOfAForgottenSnapshotGoes) {
  const auto kept = back_up_state();
  const FileContents kept_files = expected(state);
  forget(back_up_one_more());
  const uint64_t before = pack_bytes();
  const PruneReport report = prune();
  EXPECT_EQ(report.dead_packs, 1u);
  EXPECT_EQ(report.rewritten_packs, 0u);
  EXPECT_EQ(pack_bytes(), before - report.dead_bytes);
  expect_sound();
  EXPECT_EQ(contents_of(kept->data), kept_files);
}

// The oldest snapshot's pack holds chunks that later ones use, and such as only it did.
TEST_F(PruneTest, PackInPartialUseIsRewrittenWithoutTheRest) {
  forget(back_up_state());
  state.shards[{"db", "rp", 1}].erase("000000001-000000001.tsm");
  const auto kept = back_up_state();
  const uint64_t before = pack_bytes();
  const PruneReport report = prune();
  EXPECT_EQ(report.rewritten_packs, 1u);
  EXPECT_LT(pack_bytes(), before);
  EXPECT_EQ(static_cast<int64_t>(before) - report.freed_bytes(),
            static_cast<int64_t>(pack_bytes()));
  expect_sound();
  EXPECT_EQ(contents_of(kept->data), expected(state));
  EXPECT_EQ(prune(max_unused(0)).unused_bytes, 0u) << "a second one has nothing to do";
}

TEST_F(PruneTest, IndexMadeAgainAfterItAgrees) {
  forget(back_up_state());
  state.shards[{"db", "rp", 1}].erase("000000001-000000001.tsm");
  const auto kept = back_up_state();
  prune(max_unused(0));
  index::Repository::rebuild_lookup({root, "test"});
  expect_sound();
  EXPECT_EQ(contents_of(kept->data), expected(state));
}

TEST_F(PruneTest, ChunksThatWentAreStoredAgain) {
  const FileContents first = expected(state);
  forget(back_up_state());
  const ServerState full = state;
  state.shards[{"db", "rp", 1}].erase("000000001-000000001.tsm");
  back_up_state();
  prune(max_unused(0));
  state = full;
  const auto again = back_up_state();
  EXPECT_GT(again->new_bytes, 0u);
  expect_sound();
  EXPECT_EQ(contents_of(again->data), first);
}

TEST_F(PruneTest, MaxUnusedLeavesPacksAlone) {
  forget(back_up_state());
  state.shards[{"other db", "two weeks", 10}].clear();
  back_up_state();
  const auto before = packs();
  const PruneReport report = prune(max_unused(1));
  EXPECT_GT(report.unused_bytes, 0u);
  EXPECT_EQ(report.rewritten_packs, 0u);
  EXPECT_EQ(packs(), before);
}

TEST_F(PruneTest, DryRunSaysTheSameAndChangesNothing) {
  forget(back_up_state());
  state.shards[{"db", "rp", 1}].erase("000000001-000000001.tsm");
  back_up_state();
  const auto before = packs();
  const PruneReport dry = prune(dry_run());
  EXPECT_EQ(packs(), before);
  EXPECT_GT(dry.freed_bytes(), 0);
  const PruneReport wet = prune();
  EXPECT_EQ(dry.rewritten_packs, wet.rewritten_packs);
  EXPECT_EQ(dry.rewritten_bytes, wet.rewritten_bytes);
  EXPECT_NEAR(static_cast<double>(dry.written_bytes), static_cast<double>(wet.written_bytes),
              static_cast<double>(wet.written_bytes) / 5);
}

TEST_F(PruneTest, WithoutSnapshotsEverythingGoes) {
  forget(back_up_state());
  prune();
  EXPECT_TRUE(packs().empty());
  const auto again = back_up_state();
  EXPECT_EQ(contents_of(again->data), expected(state));
}

TEST_F(PruneTest, DamagedManifestStopsItBeforeAnythingGoes) {
  const auto kept = back_up_state();
  const auto damaged = back_up_one_more();
  stdfs::resize_file(test::RepositoryPaths(root).snapshot(damaged->id), 100);
  const auto before = packs();
  EXPECT_THROW(prune(), CorruptError);
  EXPECT_EQ(packs(), before);
  EXPECT_EQ(prune(accept_loss()).dead_packs, 1u);
}

// As of a disk that fails for a moment: a pack is left out of an index that is made again, and is
// there the next day. What it needs of other packs has to be there too.
TEST_F(PruneTest, WhatMayComeBackIsNoLossToAccept) {
  const auto first = back_up_state();
  const auto kept = expected(state);
  const auto second = back_up_one_more();
  const auto all = packs();
  for (const auto& pack : all) {
    stdfs::copy_file(pack, dir / "aside");
    stdfs::resize_file(pack, 100);
    stdfs::remove_all(test::RepositoryPaths(root).lookup());
    EXPECT_THROW(prune(accept_loss()), CorruptError);
    stdfs::rename(dir / "aside", pack);
    EXPECT_EQ(packs(), all);
    index::Repository::open_writer({root, "test"});  // takes it up again
    EXPECT_EQ(contents_of(first->data), kept) << "when it has come back";
    EXPECT_EQ(contents_of(second->data), expected(state));
    expect_sound();
  }
}

TEST_F(PruneTest, LostTreeNodeStopsItBeforeAnythingGoes) {
  const auto first = back_up_state();
  const auto pack = packs().at(0);
  back_up_one_more();
  stdfs::remove(pack);
  const auto before = packs();
  EXPECT_THROW(prune(), CorruptError);
  EXPECT_EQ(packs(), before);
}

TEST_F(PruneTest, DamagedChunkStopsItBeforeAnythingGoes) {
  forget(back_up_state());
  const auto pack = packs().at(0);
  state.shards[{"db", "rp", 1}].erase("000000001-000000001.tsm");
  back_up_state();
  {
    const index::PackReader reader(index::DirectoryStorage(root),
                                   index::PackId::from_hex(pack.filename().string()),
                                   index::Repository::open_reader({root})->config().id);
    std::fstream file(pack, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(reader.frames()[0].file_offset + 500));
    file.put('!');
    file.put('?');
  }
  const auto before = packs();
  EXPECT_THROW(prune(max_unused(0)), CorruptError);
  EXPECT_EQ(packs(), before);
}

TEST_F(PruneTest, StopsWhenItIsTold) {
  forget(back_up_state());
  state.shards[{"db", "rp", 1}].erase("000000001-000000001.tsm");
  back_up_state();
  const auto before = packs();
  stop.request_stop();
  EXPECT_THROW(prune(), Cancelled);
  EXPECT_EQ(packs(), before);
}

}  // namespace
}  // namespace tsmfs::snapshot
