#include "snapshot/upkeep/repair.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "index/storage/directory_storage.h"
#include "tests/support/repository_paths.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;
using index::BlobKind;

class RepairTest : public TwoBackupsTest {
 protected:
  RepairReport repair(bool dry_run = false) {
    const auto repository = index::Repository::open_writer({root, "test"});
    RepairOptions how;
    how.dry_run = dry_run;
    return repair_repository(*repository, how, stop.get_token());
  }
  index::PackReader open(const stdfs::path& pack) const {
    return index::PackReader(index::DirectoryStorage(root),
                             index::PackId::from_hex(pack.filename().string()),
                             index::Repository::open_reader({root})->config().id);
  }
  // A byte in the middle of the n-th frame of a kind.
  uint64_t byte_of(const stdfs::path& pack, BlobKind kind) const {
    const index::PackReader reader = open(pack);
    for (const index::FrameEntry& frame : reader.frames())
      if (frame.kind == kind)
        return frame.file_offset + index::kFrameHeaderBytes + frame.stored_length / 2;
    ADD_FAILURE() << "no frame of this kind";
    return 0;
  }
  size_t quarantined_packs() const {
    if (!stdfs::exists(paths.quarantined_packs())) return 0;
    return static_cast<size_t>(std::distance(stdfs::directory_iterator(paths.quarantined_packs()),
                                             stdfs::directory_iterator()));
  }
  void expect_all_readable() const {
    expect_sound();
    EXPECT_EQ(contents_of(older->data), older_files);
    EXPECT_EQ(contents_of(newer->data), expected(state));
  }

  test::RepositoryPaths paths{root};
  stdfs::path older_pack = older_packs.at(0);
};

TEST_F(RepairTest, ADryRunSaysWhatIsLostAlready) {
  stdfs::remove(older_pack);
  const RepairReport report = repair(/*dry_run=*/true);
  EXPECT_TRUE(report.packs.empty());
  EXPECT_GT(report.lossy_files + report.unreadable.size(), 0u);
}

TEST_F(RepairTest, SoundRepositoryStaysAsItIs) {
  const auto before = packs();
  const RepairReport report = repair();
  EXPECT_TRUE(report.packs.empty());
  EXPECT_TRUE(report.manifests.empty());
  EXPECT_EQ(packs(), before);
  EXPECT_FALSE(stdfs::exists(paths.quarantine()));
}

TEST_F(RepairTest, NothingIsLostWithATrailer) {
  flip(older_pack, stdfs::file_size(older_pack) - 1);
  const RepairReport report = repair();
  ASSERT_EQ(report.packs.size(), 1u);
  EXPECT_TRUE(report.packs[0].salvage.tables_lost);
  EXPECT_EQ(report.lossy_files, 0u);
  EXPECT_EQ(quarantined_packs(), 1u);
  expect_all_readable();
}

TEST_F(RepairTest, NothingIsLostWithAHeader) {
  flip(older_pack, 20);
  EXPECT_EQ(repair().lossy_files, 0u);
  expect_all_readable();
}

class RepairOfTables : public RepairTest, public ::testing::WithParamInterface<uint64_t> {};

// The trailer is the last 64 bytes, the tables are before it.
TEST_P(RepairOfTables, NothingIsLost) {
  flip(older_pack, stdfs::file_size(older_pack) - GetParam());
  const RepairReport report = repair();
  ASSERT_EQ(report.packs.size(), 1u);
  EXPECT_EQ(report.lossy_files, 0u);
  expect_all_readable();
}
INSTANTIATE_TEST_SUITE_P(BytesFromTheEnd, RepairOfTables,
                         ::testing::Values(2, 20, 33, 40, 64, 65, 100, 300, 1000, 3000));

// All chunks of the first backup are in one frame: its files are lost, those of the second are not.
TEST_F(RepairTest, LostChunksCostTheirFilesOnly) {
  flip(older_pack, byte_of(older_pack, BlobKind::kChunk));
  const RepairReport report = repair();
  ASSERT_EQ(report.packs.size(), 1u);
  EXPECT_EQ(report.packs[0].salvage.lost_frames, 1u);
  EXPECT_GT(report.packs[0].salvage.lost_bytes, 0u);
  EXPECT_GT(report.lossy_files, 0u);
  const auto repository = index::Repository::open_reader({root});
  const auto entries = shard_entries(repository->objects(), newer->data);
  const Tree shard = read_tree(repository->objects(), entries.at({"db", "rp", 2}).directory());
  EXPECT_EQ(as_text(test::read_all(*repository, shard.find("000000002-000000001.tsm")->file())),
            tsm(40, 9));
  EXPECT_THROW(test::read_all(*repository, shard.find("000000001-000000001.tsm")->file()),
               MissingError);
}

TEST_F(RepairTest, BytesThatNoSnapshotNeedsAreNoLoss) {
  for (const auto& snapshot : {older, newer}) stdfs::remove(paths.snapshot(snapshot->id));
  flip(older_pack, byte_of(older_pack, BlobKind::kChunk));
  const RepairReport report = repair();
  EXPECT_EQ(report.packs.size(), 1u);
  EXPECT_EQ(report.lossy_files, 0u);
}

TEST_F(RepairTest, LaterBackupOfTheSameFilesHealsAllSnapshots) {
  flip(older_pack, byte_of(older_pack, BlobKind::kChunk));
  repair();
  EXPECT_FALSE(damages().empty());
  const auto again = back_up();
  EXPECT_GT(again->new_bytes, 0u);
  expect_all_readable();
  EXPECT_EQ(repair().lossy_files, 0u);
}

// The lost chunks come back as parts of another file, which heals nothing by itself.
TEST_F(RepairTest, NextRepairFindsChunksThatCameBackInAnotherFile) {
  flip(older_pack, byte_of(older_pack, BlobKind::kChunk));
  EXPECT_GT(repair().lossy_files, 0u);
  const auto lossy_before = repair().lossy_files;
  state.shards[{"db", "rp", 1}]["000000009-000000001.tsm"] = tsm(90, 3);  // what shard 2 had
  state.shards[{"db", "rp", 2}].erase("000000001-000000001.tsm");
  state.shards[{"db", "rp", 1}].erase("000000001-000000001.tsm");
  state.tell(*fake);
  back_up();
  const RepairReport report = repair();
  EXPECT_LT(report.lossy_files, lossy_before);
}

TEST_F(RepairTest, LostRecipeHealsWhenItsFileIsStoredAgain) {
  flip(older_pack, byte_of(older_pack, BlobKind::kRecipe));
  repair();
  EXPECT_FALSE(damages().empty());
  const auto again = back_up();
  EXPECT_EQ(again->new_bytes, 0u) << "the chunks were saved";
  expect_all_readable();
}

TEST_F(RepairTest, LostTreeNodeHealsWhenItsDirectoryIsStoredAgain) {
  flip(older_pack, byte_of(older_pack, BlobKind::kTree));
  repair();
  EXPECT_FALSE(damages().empty());
  back_up();
  EXPECT_EQ(contents_of(newer->data), expected(state));
}

TEST_F(RepairTest, TruncatedPackKeepsTheFramesItHas) {
  const uint64_t size = stdfs::file_size(older_pack);
  const index::FrameEntry first = index::FrameEntry(open(older_pack).frames().front());
  stdfs::resize_file(older_pack,
                     first.file_offset + index::kFrameHeaderBytes + first.stored_length + 10);
  ASSERT_LT(stdfs::file_size(older_pack), size);
  const RepairReport report = repair();
  ASSERT_EQ(report.packs.size(), 1u);
  EXPECT_EQ(report.packs[0].salvage.saved_bytes, first.raw_length);
  // Every recipe and tree node was behind it; the bytes come back by the frame that was saved.
  back_up();
  EXPECT_EQ(contents_of(newer->data), expected(state));
}

TEST_F(RepairTest, DamagedManifestGoesToQuarantine) {
  stdfs::resize_file(paths.snapshot(older->id), 100);
  const RepairReport report = repair();
  ASSERT_EQ(report.manifests.size(), 1u);
  EXPECT_TRUE(stdfs::exists(paths.quarantined_snapshots() / older->id.hex()));
  EXPECT_EQ(snapshots()->snapshots.size(), 1u);
  expect_sound();
}

// The damaged one may have said that it is pinned.
TEST_F(RepairTest, DamagedAmendmentGoesToQuarantineAndItsSnapshotIsPinned) {
  index::DirectoryStorage storage(root);
  Manifest manifest = *older;
  manifest.tags = {"keep", "weekly"};
  Catalog(storage).amend(manifest);
  const std::string key = index::amendment_key(older->id, 1);
  stdfs::resize_file(root / key, 100);
  storage.put("amendments/note.txt", as_bytes("mine"));
  EXPECT_EQ(repair(/*dry_run=*/true).amendments.size(), 2u);
  EXPECT_TRUE(stdfs::exists(root / key));
  EXPECT_EQ(repair().amendments.size(), 2u);
  EXPECT_TRUE(stdfs::exists(root / "quarantine" / key));
  EXPECT_TRUE(stdfs::exists(root / "quarantine/amendments/note.txt"));
  EXPECT_TRUE(snapshots()->is_sound());
  EXPECT_TRUE(snapshots()->snapshots.at(0)->is_pinned());
  EXPECT_FALSE(snapshots()->snapshots.at(1)->is_pinned());
  expect_sound();
}

TEST_F(RepairTest, DryRunNamesTheDamageAndChangesNothing) {
  flip(older_pack, byte_of(older_pack, BlobKind::kChunk));
  stdfs::resize_file(paths.snapshot(newer->id), 100);
  const auto before = packs();
  const RepairReport report = repair(/*dry_run=*/true);
  EXPECT_EQ(report.packs.size(), 1u);
  EXPECT_GT(report.packs[0].salvage.lost_bytes, 0u);
  EXPECT_EQ(report.manifests.size(), 1u);
  EXPECT_EQ(packs(), before);
  EXPECT_TRUE(stdfs::exists(paths.snapshot(newer->id)));
}

TEST_F(RepairTest, GoesOnWithoutAnIndex) {
  flip(older_pack, stdfs::file_size(older_pack) - 1);
  stdfs::remove_all(paths.lookup());
  repair();
  // Without index and tables nobody knows where recipes and tree nodes begin: they are lost until
  // the next backup; the chunks are there.
  const auto again = back_up();
  EXPECT_EQ(contents_of(again->data), expected(state));
}

}  // namespace
}  // namespace tsmfs::snapshot
