#include "snapshot/upkeep/check.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "index/pack/pack_reader.h"
#include "snapshot/upkeep/prune.h"
#include "tests/support/repository_paths.h"
#include "tests/support/rewrite_manifest.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;
using index::ReadData;

class CheckTest : public TwoBackupsTest {
 protected:
  CheckTest() { expect_sound(); }

  static std::string name_of(const SnapshotPtr& snapshot) {
    return "snapshot " + snapshot->short_id();
  }

  static ::testing::AssertionResult names(const std::vector<std::string>& messages,
                                          const std::string& one, const std::string& other) {
    for (const std::string& message : messages)
      if (message.find(one) != std::string::npos && message.find(other) != std::string::npos)
        return ::testing::AssertionSuccess();
    auto failure = ::testing::AssertionFailure()
                   << "nothing names '" << one << "' and '" << other << "'";
    for (const std::string& message : messages) failure << "\n  " << message;
    return failure;
  }

  // The packs of the first backup and of the second.
  std::vector<std::shared_ptr<const index::PackReader>> packs_in_order() const {
    const auto repository = index::Repository::open_reader({root});
    std::vector<std::shared_ptr<const index::PackReader>> found;
    repository->lookup().for_each_pack([&](index::PackNumber, const index::PackRecord& record) {
      found.push_back(repository->packs().open(record.id));
    });
    return found;
  }
  stdfs::path path_of(const index::PackReader& pack) const {
    return test::RepositoryPaths(root).pack(pack.header().id);
  }
  // A byte in the middle of the pack's first frame of a kind.
  static uint64_t byte_of(const index::PackReader& pack, index::BlobKind kind) {
    for (const index::FrameEntry& frame : pack.frames())
      if (frame.kind == kind)
        return frame.file_offset + index::kFrameHeaderBytes + frame.stored_length / 2;
    ADD_FAILURE() << "no frame of this kind";
    return 0;
  }
};

TEST_F(CheckTest, CountsWhatItLooksAt) {
  const auto repository = index::Repository::open_reader({root});
  Catalog catalog(repository->storage());
  const CheckReport report = check_repository(
      *repository, catalog, {ReadData::kNo, [](const std::string&) { FAIL(); }}, {});
  EXPECT_EQ(report.snapshots, 2u);
  EXPECT_EQ(report.packs, 2u);
  // Six data files, meta.db and node.json; the second snapshot shares all but one.
  EXPECT_EQ(report.files, 8u);
  EXPECT_GT(report.bytes, newer->bytes);
}

TEST_F(CheckTest, FlippedByteOfAChunkNamesThePackTheFileAndEachSnapshot) {
  const auto pack = packs_in_order().at(0);
  flip(path_of(*pack), byte_of(*pack, index::BlobKind::kChunk));
  EXPECT_EQ(damages(ReadData::kNo), std::vector<std::string>()) << "the data are not read";
  const auto messages = damages();
  EXPECT_TRUE(names(messages, pack->name(), "checksum"));
  // All chunks of the first backup are in this one frame.
  for (const SnapshotPtr& snapshot : {older, newer}) {
    EXPECT_TRUE(names(messages, name_of(snapshot), "db/rp/1/000000001-000000001.tsm: "));
    EXPECT_TRUE(
        names(messages, name_of(snapshot), "other db/two weeks/10/000000001-000000001.tsm: "));
    EXPECT_FALSE(names(messages, name_of(snapshot), "db/rp/2/000000002-000000001.tsm"));
  }
}

TEST_F(CheckTest, FlippedByteOfARecipeNamesTheFile) {
  const auto pack = packs_in_order().at(1);
  flip(path_of(*pack), byte_of(*pack, index::BlobKind::kRecipe));
  for (const ReadData read_data : {ReadData::kNo, ReadData::kYes}) {
    const auto messages = damages(read_data);
    EXPECT_TRUE(names(messages, name_of(newer), "db/rp/2/000000002-000000001.tsm"));
    EXPECT_FALSE(names(messages, name_of(older), ""));
  }
}

TEST_F(CheckTest, FlippedByteOfATreeNodeNamesTheSnapshot) {
  const auto pack = packs_in_order().at(1);
  flip(path_of(*pack), byte_of(*pack, index::BlobKind::kTree));
  for (const ReadData read_data : {ReadData::kNo, ReadData::kYes}) {
    const auto messages = damages(read_data);
    EXPECT_TRUE(names(messages, name_of(newer), "checksum"));
    EXPECT_FALSE(names(messages, name_of(older), ""));
  }
}

TEST_F(CheckTest, FlippedBytesOfEveryPartOfAPackAreFound) {
  const auto pack = packs_in_order().at(1);
  const uint64_t size = pack->file_bytes();
  for (uint64_t offset :
       {uint64_t{0}, uint64_t{20}, uint64_t{50}, size - 1, size - 60, size - 100, size - 200}) {
    flip(path_of(*pack), offset);
    EXPECT_TRUE(names(damages(), pack->name(), "")) << offset;
    flip(path_of(*pack), offset);
  }
  expect_sound();
}

TEST_F(CheckTest, TruncatedPackIsFound) {
  const auto pack = packs_in_order().at(0);
  stdfs::resize_file(path_of(*pack), pack->file_bytes() - 1);
  for (const ReadData read_data : {ReadData::kNo, ReadData::kYes}) {
    const auto messages = damages(read_data);
    EXPECT_TRUE(names(messages, pack->name(), "damaged"));
    EXPECT_TRUE(names(messages, name_of(older), ""));
    EXPECT_TRUE(names(messages, name_of(newer), ""));
  }
}

TEST_F(CheckTest, RemovedPackNamesWhatItHeld) {
  const auto pack = packs_in_order().at(1);
  stdfs::remove(path_of(*pack));
  const auto messages = damages(ReadData::kNo);
  EXPECT_TRUE(names(messages, pack->name(), "is gone"));
  EXPECT_TRUE(names(messages, name_of(newer), ""));
  EXPECT_FALSE(names(messages, name_of(older), ""));
}

TEST_F(CheckTest, FilesOfARemovedPackAreNamedWhereTheirDirectoriesAreElsewhere) {
  // The third backup's directory is new, its file is that of the second.
  const auto pack = packs_in_order().at(1);
  state.shards[{"db", "rp", 2}].erase("000000001-000000001.tombstone");
  state.tell(*fake);
  const SnapshotPtr newest = back_up();
  stdfs::remove(path_of(*pack));
  EXPECT_TRUE(names(damages(ReadData::kNo), name_of(newest), "db/rp/2/000000002-000000001.tsm"));
}

TEST_F(CheckTest, WriterThatFindsAPackGoneDoesNotHideTheLoss) {
  const auto pack = packs_in_order().at(0);
  stdfs::remove(path_of(*pack));
  index::Repository::open_writer({root, "test"});  // makes the index again
  const auto messages = damages(ReadData::kNo);
  EXPECT_TRUE(names(messages, name_of(older), ""));
  EXPECT_TRUE(names(messages, name_of(newer), ""));
  // What the server still has is stored again.
  const SnapshotPtr healed = back_up();
  EXPECT_EQ(contents_of(healed->data), expected(state));
  EXPECT_FALSE(names(damages(), name_of(healed), ""));
}

TEST_F(CheckTest, DamagedManifestIsNamedAndHidesNoOther) {
  flip(test::RepositoryPaths(root).snapshot(older->id), 200);
  const auto messages = damages();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(names(messages, "snapshot " + older->id.hex(), "is damaged: its checksum is wrong"));
  EXPECT_EQ(snapshots()->snapshots.size(), 1u);
}

TEST_F(CheckTest, ManifestUnderAnotherNameIsDamaged) {
  const test::RepositoryPaths paths(root);
  const auto other = index::random_id<index::SnapshotId>();
  stdfs::copy_file(paths.snapshot(older->id), paths.snapshot(other));
  EXPECT_TRUE(names(damages(), other.hex(), older->id.hex()));
}

TEST_F(CheckTest, ManifestThatMiscountsIsNamed) {
  const auto repository = index::Repository::open_writer({root, "test"});
  Manifest manifest = *newer;
  manifest.files += 1;
  manifest.shards -= 1;
  test::rewrite_manifest(repository->storage(), manifest);
  const auto messages = damages();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_TRUE(names(messages, name_of(newer), "has 3 shards, its manifest says 2"));
  EXPECT_TRUE(names(messages, name_of(newer), "has 6 files, its manifest says 7"));
}

TEST_F(CheckTest, PacksOfTwoCopiesThatWereMixedAreNamed) {
  stdfs::copy(root, dir / "copy", stdfs::copy_options::recursive);
  state.shards[{"db", "rp", 2}]["000000003-000000001.tsm"] = tsm(40, 10);
  state.tell(*fake);
  back_up();
  const auto ours = packs();
  const auto here = std::exchange(root, dir / "copy");
  state.shards[{"db", "rp", 2}]["000000003-000000001.tsm"] = tsm(40, 11);
  state.tell(*fake);
  back_up();
  for (const auto& pack : packs()) {
    const auto place = here / stdfs::relative(pack, root);
    stdfs::create_directories(place.parent_path());
    stdfs::copy_file(pack, place, stdfs::copy_options::skip_existing);
  }
  root = here;
  const auto messages = damages();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(names(messages, "both have the sequence 3", "tsmfs copy"));
}

// As when a prune and a forget run beside the check.
TEST_F(CheckTest, IndexFromBeforeAPruneFindsNoDamage) {
  const auto reader = index::Repository::open_reader({root});
  {
    const auto writer = index::Repository::open_writer({root, "test"});
    Catalog catalog(writer->storage());
    catalog.refresh();
    catalog.remove({older});
    PruneOptions how;
    how.max_unused = 0;
    const PruneReport pruned = prune_repository(*writer, catalog, how, {});
    ASSERT_GT(pruned.dead_packs + pruned.rewritten_packs, 0u);
  }
  Catalog catalog(reader->storage());
  const CheckOptions options{ReadData::kYes,
                             [](const std::string& what) { ADD_FAILURE() << what; }};
  EXPECT_EQ(check_repository(*reader, catalog, options, {}).snapshots, 1u);
}

TEST_F(CheckTest, PartsTogetherReadEachPackOnce) {
  const auto pack = packs_in_order().at(0);
  flip(path_of(*pack), byte_of(*pack, index::BlobKind::kChunk));
  const auto repository = index::Repository::open_reader({root});
  size_t read = 0, found = 0;
  for (const char* part : {"1/3", "2/3", "3/3"}) {
    Catalog catalog(repository->storage());
    CheckOptions options;
    options.on_damage = [](const std::string&) {};
    options.subset = DataSubset::parse(part);
    const CheckReport report = check_repository(*repository, catalog, options, {});
    read += report.packs_read;
    found += report.damages;
  }
  EXPECT_EQ(read, 2u);
  EXPECT_EQ(found, 1u);
}

TEST(DataSubset, TakesItsShareAndRefusesNonsense) {
  const auto half = DataSubset::parse("50%"), all = DataSubset::parse("100%");
  size_t taken = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto id = index::random_id<index::PackId>();
    if (half.takes(id)) ++taken;
    EXPECT_TRUE(all.takes(id));
  }
  EXPECT_GT(taken, 800u);
  EXPECT_LT(taken, 1200u);
  for (const char* bad : {"", "0/3", "4/3", "1/257", "1/", "/2", "1", "0%", "101%", "x%", "-1/2"})
    EXPECT_THROW(DataSubset::parse(bad), UsageError) << bad;
}

TEST_F(CheckTest, TsmFilesThatInfluxdWillNotOpenAreNamedInEachSnapshot) {
  auto& shard = state.shards[{"db", "rp", 2}];
  shard["000000007-000000001.tsm"] = "no TSM file";
  shard["000000008-000000001.tsm"] = "";
  shard["000000009-000000001 2.tsm"] = tsm(10, 5);
  state.tell(*fake);
  const std::string first = name_of(back_up());
  const std::string second = name_of(back_up());
  const auto repository = index::Repository::open_reader({root});
  Catalog catalog(repository->storage());
  std::vector<std::string> messages;
  CheckOptions options;
  options.on_damage = [&](const std::string& what) { messages.push_back(what); };
  options.tsm = true;
  const CheckReport report = check_repository(*repository, catalog, options, {});
  EXPECT_EQ(report.unsound_tsm, 2u);
  EXPECT_EQ(messages.size(), 6u);
  for (const std::string& snapshot : {first, second})
    for (const char* file : {"db/rp/2/000000007-000000001.tsm: it is no sound",
                             "db/rp/2/000000008-000000001.tsm is empty",
                             "db/rp/2/000000009-000000001 2.tsm is not named"})
      EXPECT_TRUE(names(messages, snapshot, file));
  EXPECT_TRUE(damages().empty());  // it is what the server had
}

TEST_F(CheckTest, StopsWhenItIsTold) {
  const auto repository = index::Repository::open_reader({root});
  Catalog catalog(repository->storage());
  stop.request_stop();
  EXPECT_THROW(check_repository(*repository, catalog, {ReadData::kYes, [](const std::string&) {}},
                                stop.get_token()),
               Cancelled);
}

}  // namespace
}  // namespace tsmfs::snapshot
