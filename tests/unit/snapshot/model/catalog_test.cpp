#include "snapshot/model/catalog.h"

#include <gtest/gtest.h>

#include <fstream>

#include "index/base/error.h"
#include "index/base/file.h"
#include "index/format/object_keys.h"
#include "index/storage/directory_storage.h"
#include "snapshot/model/amendment.h"
#include "tests/support/repository_paths.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::snapshot {
namespace {

Manifest sample(int64_t seconds) {
  Manifest manifest;
  manifest.id = index::random_id<index::SnapshotId>();
  manifest.time = {seconds * 1'000'000'000};
  manifest.finished = manifest.time;
  manifest.server = "db1";
  manifest.databases = {"telegraf", "my.db", "日本"};
  manifest.problems = {{Problem::Severity::kIncomplete, "a/b/3", "lost"},
                       {Problem::Severity::kWarning, "", "odd"}};
  manifest.shards = 3;
  return manifest;
}

class CatalogTest : public ::testing::Test {
 protected:
  CatalogTest() : paths_(dir_.path()) {
    make_directory(paths_.snapshots());
    make_directory(paths_.tmp());
  }
  test::TempDir dir_;
  test::RepositoryPaths paths_;
  index::DirectoryStorage storage_{dir_.path()};
};

TEST(Manifest, ComesBack) {
  Manifest manifest = sample(1454349756);
  manifest.parent = index::random_id<index::SnapshotId>();
  const Manifest back = decode_manifest(encode_manifest(manifest), "test");
  EXPECT_EQ(back.id, manifest.id);
  EXPECT_EQ(back.parent, manifest.parent);
  EXPECT_EQ(back.databases, manifest.databases);
  EXPECT_EQ(back.problems.size(), 2u);
  EXPECT_TRUE(back.incomplete());
}

TEST(Manifest, AServerThatCannotBeNamedSoIsNotWritten) {
  Manifest manifest = sample(1);
  for (const char* name : {"", "..", "a/b", "../../escape"}) {
    manifest.server = name;
    EXPECT_THROW(encode_manifest(manifest), UsageError) << name;
  }
}

TEST(Amendment, ComesBackAndEveryFlippedByteIsDetected) {
  const Amendment amendment{index::random_id<index::SnapshotId>(), {"a b", "keep"}, {3, 7}};
  const std::string stored = encode_amendment(amendment);
  const Amendment back = decode_amendment(stored, "test");
  EXPECT_EQ(back.snapshot, amendment.snapshot);
  EXPECT_EQ(back.tags, amendment.tags);
  EXPECT_EQ(back.accepted, amendment.accepted);
  for (size_t i = 0; i < stored.size(); ++i) {
    std::string damaged = stored;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_THROW(decode_amendment(damaged, "test"), CorruptError) << i;
  }
}

TEST(Manifest, EveryFlippedByteIsDetected) {
  const std::string stored = encode_manifest(sample(1));
  for (size_t i = 0; i < stored.size(); ++i) {
    std::string damaged = stored;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_THROW(decode_manifest(damaged, "test"), CorruptError) << i;
  }
}

TEST(Manifest, TagsAndOriginalComeBack) {
  Manifest manifest = sample(1);
  manifest.tags = checked_tags({"keep", "a b", "keep"});
  manifest.original =
      Original{index::random_id<index::RepositoryId>(), index::random_id<index::SnapshotId>()};
  const Manifest back = decode_manifest(encode_manifest(manifest), "test");
  EXPECT_EQ(back.tags, (std::vector<std::string>{"a b", "keep"}));
  EXPECT_EQ(back.original, manifest.original);
  EXPECT_TRUE(back.is_pinned());
  EXPECT_FALSE(sample(1).is_pinned());
}

TEST(Manifest, TagsThatWouldNotPrintAreRefused) {
  for (const std::string& tag : {std::string(), std::string("a,b"), std::string("a\nb"),
                                 std::string("a\0b", 3), std::string(kTagBytesMax + 1, 'x')})
    EXPECT_THROW(checked_tags({tag}), UsageError) << tag;
}

TEST(Manifest, RangeThatIsOpenAtBothEndsComesBack) {
  Manifest manifest = sample(1);
  manifest.filter.range = TimeRange{kInfluxTimeMin, kInfluxTimeMax};
  const std::string stored = encode_manifest(manifest);
  EXPECT_EQ(decode_manifest(stored, "test").filter.range, manifest.filter.range);
  EXPECT_NE(stored.find("1677-09-21T00:12:43.145224194Z"), std::string::npos);
  EXPECT_NE(stored.find("2262-04-11T23:47:16.854775806Z"), std::string::npos);
}

TEST_F(CatalogTest, ManifestThatIsReadAgainIsTheSameSnapshot) {
  Catalog catalog(storage_);
  catalog.publish(sample(100));
  const auto before = catalog.refresh();
  EXPECT_EQ(catalog.refresh(), before);
}

TEST_F(CatalogTest, RemovedSnapshotIsGoneForEverybody) {
  Catalog catalog(storage_), other(storage_);
  const auto first = catalog.publish(sample(100));
  const auto second = catalog.publish(sample(200));
  EXPECT_EQ(other.refresh()->snapshots.size(), 2u);
  catalog.remove({first, first});
  EXPECT_EQ(catalog.state()->snapshots.size(), 1u);
  EXPECT_EQ(other.refresh()->snapshots.at(0)->id, second->id);
}

TEST_F(CatalogTest, NumberOfAForgottenSnapshotIsNotGivenAgain) {
  Catalog catalog(storage_);
  const auto first = catalog.publish(sample(100));
  const auto second = catalog.publish(sample(200));
  catalog.remove({second});
  EXPECT_EQ(Catalog(storage_).publish(sample(300))->number, second->number + 1);
  catalog.remove({first});
  std::filesystem::remove_all(dir_ / index::kForgottenFolder);
  EXPECT_EQ(Catalog(storage_).publish(sample(400))->number, second->number + 2);
}

TEST_F(CatalogTest, NumberOfASnapshotThatCannotBeReadIsNotGivenAgain) {
  Catalog catalog(storage_);
  catalog.publish(sample(100));
  const auto newest = catalog.publish(sample(200));
  std::filesystem::resize_file(paths_.snapshot(newest->id), 10);
  EXPECT_GT(Catalog(storage_).publish(sample(300))->number, newest->number);
}

TEST_F(CatalogTest, OneObjectHoldsTheHighestForgottenNumber) {
  Catalog catalog(storage_);
  for (int i = 1; i <= 3; ++i) catalog.remove({catalog.publish(sample(i))});
  EXPECT_EQ(storage_.list(index::kForgottenFolder),
            std::vector<std::string>{index::forgotten_key(3)});
}

TEST_F(CatalogTest, TheHighestForgottenNumberOfFormat1Counts) {
  storage_.replace(index::kLastNumberKey, as_bytes("41\n"));
  Catalog catalog(storage_);
  EXPECT_EQ(catalog.publish(sample(1))->number, 42u);
}

TEST_F(CatalogTest, AnAmendmentIsSeenByOthersAndLeavesTheManifest) {
  Catalog catalog(storage_), other(storage_);
  const auto published = catalog.publish(sample(100));
  const uint64_t generation = other.refresh()->generation;
  const auto manifest = storage_.get(index::snapshot_key(published->id), 1 << 20);
  Manifest amended = *published;
  for (const char* tag : {"keep", "other"}) {
    amended.tags = {tag};
    EXPECT_EQ(catalog.amend(amended)->tags, amended.tags);
    ASSERT_EQ(other.refresh()->snapshots.size(), 1u);
    EXPECT_EQ(other.state()->snapshots[0]->tags, amended.tags);
    EXPECT_EQ(Catalog(storage_).refresh()->snapshots[0]->tags, amended.tags);
  }
  EXPECT_EQ(other.state()->snapshots[0]->number, published->number);
  EXPECT_NE(other.state()->generation, generation);
  EXPECT_EQ(storage_.get(index::snapshot_key(published->id), 1 << 20), manifest);
}

TEST_F(CatalogTest, AnAmendmentChangesNothingElse) {
  Catalog catalog(storage_);
  Manifest other = *catalog.publish(sample(100));
  other.bytes += 1;
  EXPECT_THROW(catalog.amend(other), InvariantError);
  other = *catalog.state()->snapshots[0];
  catalog.remove({catalog.state()->snapshots[0]});
  EXPECT_THROW(catalog.amend(other), UsageError);
  EXPECT_EQ(storage_.list(index::kAmendmentsFolder), std::vector<std::string>());
}

TEST_F(CatalogTest, AmendmentsGoWithTheirSnapshot) {
  Catalog catalog(storage_);
  Manifest first = *catalog.publish(sample(100)), second = *catalog.publish(sample(200));
  for (Manifest* manifest : {&first, &second}) {
    manifest->tags = {"weekly"};
    catalog.amend(*manifest);
  }
  catalog.remove({catalog.state()->snapshots[0]});
  EXPECT_EQ(storage_.list(index::kAmendmentsFolder),
            std::vector<std::string>{index::amendment_key(second.id, 1)});
}

// What is in quarantine can be put back by hand, and is pinned then as it was.
TEST_F(CatalogTest, AmendmentsStayWhileTheirManifestIsInQuarantine) {
  Catalog catalog(storage_);
  Manifest first = *catalog.publish(sample(100));
  first.tags = {"keep"};
  catalog.amend(first);
  storage_.move(index::snapshot_key(first.id), index::quarantined_snapshot_key(first.id));
  catalog.remove({catalog.publish(sample(200))});
  storage_.move(index::quarantined_snapshot_key(first.id), index::snapshot_key(first.id));
  EXPECT_TRUE(catalog.refresh()->snapshots.at(0)->is_pinned());
}

// It may have been its pin; what it was before is known.
TEST_F(CatalogTest, ASnapshotWhoseAmendmentIsDamagedCountsAsPinned) {
  Catalog catalog(storage_);
  Manifest manifest = *catalog.publish(sample(100));
  for (const char* tag : {"weekly", "monthly"}) {
    manifest.tags = {tag};
    catalog.amend(manifest);
  }
  std::ofstream(dir_ / index::amendment_key(manifest.id, 2)) << "nonsense";
  const auto state = Catalog(storage_).refresh();
  ASSERT_EQ(state->doubts.size(), 1u);
  EXPECT_NE(state->doubts[0].find("counts as pinned"), std::string::npos);
  EXPECT_TRUE(state->damaged.empty());
  ASSERT_EQ(state->doubtful.size(), 1u);
  EXPECT_EQ(state->snapshots.at(0)->tags, (std::vector<std::string>{"keep", "weekly"}));
  EXPECT_TRUE(Catalog(storage_).amend(manifest)->has_tag("monthly"));
  EXPECT_TRUE(Catalog(storage_).refresh()->is_sound());
  EXPECT_FALSE(Catalog(storage_).refresh()->snapshots.at(0)->is_pinned());
}

TEST_F(CatalogTest, WhatIsNoAmendmentIsNamed) {
  Catalog catalog(storage_);
  Manifest manifest = *catalog.publish(sample(100));
  const std::string id = manifest.id.hex();
  for (const std::string& name : {std::string("note.txt"), id + ".01", id + ".0",
                                  id + ".4294967295", id + ".99999999999", id})
    storage_.put("amendments/" + name, as_bytes("x"));
  EXPECT_EQ(Catalog(storage_).refresh()->doubts.size(), 6u);
  EXPECT_FALSE(Catalog(storage_).refresh()->snapshots.at(0)->is_pinned());
  manifest.tags = {"weekly"};
  EXPECT_EQ(Catalog(storage_).amend(manifest)->tags, manifest.tags);
  EXPECT_EQ(Catalog(storage_).refresh()->snapshots.at(0)->tags, manifest.tags);
}

TEST_F(CatalogTest, NumbersThatAreUsedUpAreNamed) {
  storage_.put(index::forgotten_key(kSnapshotNumberMax), {});
  EXPECT_THROW(Catalog(storage_).publish(sample(100)), CorruptError);
}

TEST_F(CatalogTest, AnAmendmentThatCannotBeReadIsNoUnpinning) {
  Catalog catalog(storage_);
  Manifest manifest = *catalog.publish(sample(100));
  const std::string key = index::amendment_key(manifest.id, 1);
  make_directory(dir_ / index::kAmendmentsFolder);
  std::filesystem::create_symlink(dir_ / "not-mounted-now", dir_ / key);
  EXPECT_THROW(Catalog(storage_).refresh(), IoError);
}

TEST_F(CatalogTest, AnAmendmentAcceptsMissingShards) {
  Catalog catalog(storage_);
  Manifest manifest = sample(100);
  add_missing(manifest, {{"db", "rp", 7}, "is not offered", 100, false});
  manifest = *catalog.publish(manifest);
  EXPECT_TRUE(accept_missing(manifest, 7));
  catalog.amend(manifest);
  EXPECT_TRUE(Catalog(storage_).refresh()->snapshots.at(0)->extent->missing.at(0).accepted);
}

TEST_F(CatalogTest, NumbersSortsAndFinds) {
  Catalog catalog(storage_);
  const auto second = catalog.publish(sample(200));
  const auto first = catalog.publish(sample(100));
  EXPECT_EQ(second->number, 1u);
  EXPECT_EQ(first->number, 2u);
  Catalog other(storage_);
  const auto state = other.refresh();
  ASSERT_EQ(state->snapshots.size(), 2u);
  EXPECT_EQ(state->snapshots[0]->id, first->id);
  EXPECT_EQ(find_snapshot(*state, "latest")->id, second->id);
  EXPECT_EQ(find_snapshot(*state, first->short_id())->id, first->id);
  EXPECT_EQ(find_snapshot(*state, "1970-01-01T00:03:20Z")->id, second->id);
  EXPECT_THROW(find_snapshot(*state, "ffffffffffff"), UsageError);
}

TEST_F(CatalogTest, SeesWhatAnotherProcessPublishes) {
  Catalog reader(storage_), writer(storage_);
  EXPECT_TRUE(reader.refresh()->snapshots.empty());
  writer.publish(sample(1));
  EXPECT_EQ(reader.refresh()->snapshots.size(), 1u);
  const auto last = writer.publish(sample(2));
  EXPECT_EQ(reader.refresh()->snapshots.size(), 2u);
  std::filesystem::remove(paths_.snapshot(last->id));
  EXPECT_EQ(reader.refresh()->snapshots.size(), 1u);
}

TEST_F(CatalogTest, AManifestThatCannotBeLookedAtIsNotForgotten) {
  Catalog catalog(storage_);
  const auto snapshot = catalog.publish(sample(1));
  const auto path = paths_.snapshot(snapshot->id);
  for (const auto& target : {path, dir_ / "not-mounted-now"}) {
    std::filesystem::remove(path);
    std::filesystem::create_symlink(target, path);
    EXPECT_EQ(catalog.refresh()->snapshots.size(), 1u) << target;
    EXPECT_THROW(Catalog(storage_).refresh(), IoError) << target;
  }
}

TEST_F(CatalogTest, SnapshotsThatCannotBeListedAreNotForgotten) {
  Catalog catalog(storage_);
  catalog.publish(sample(1));
  std::filesystem::rename(paths_.snapshots(), dir_ / "elsewhere");
  EXPECT_THROW(catalog.refresh(), IoError);
  EXPECT_THROW(Catalog(storage_).refresh(), IoError);
}

TEST_F(CatalogTest, DamagedManifestHidesNoOther) {
  Catalog catalog(storage_);
  catalog.publish(sample(1));
  std::ofstream(paths_.snapshots() / index::random_id<index::SnapshotId>().hex()) << "nonsense";
  const auto state = Catalog(storage_).refresh();
  EXPECT_EQ(state->snapshots.size(), 1u);
  EXPECT_EQ(state->damaged.size(), 1u);
}

}  // namespace
}  // namespace tsmfs::snapshot
