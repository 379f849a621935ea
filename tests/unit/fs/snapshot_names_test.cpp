#include "fs/snapshot_names.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/support/rewrite_manifest.h"
#include "tests/unit/history_view_fixture.h"

namespace tsmfs::fs {
namespace {

class SnapshotNamesTest : public HistoryViewTest {};

TEST_F(SnapshotNamesTest, NamesSnapshotsAsAsked) {
  made_.add(kFirst, "db1", kData);
  made_.add(kFirst + 60, "db1", kData);
  snapshot::Catalog catalog(made_.repository().storage());
  const SnapshotNames names(catalog.refresh(), "%d.%m.%Y %H-", nullptr);
  ASSERT_EQ(names.all().size(), 2u);
  EXPECT_EQ(names.all()[0].name, "01.02.2016 18-");
  EXPECT_EQ(names.all()[1].name, "01.02.2016 18--2");
  EXPECT_EQ(names.find("01.02.2016 18--2")->snapshot->number, 2u);
}

class StickyNamesTest : public SnapshotNamesTest {
 protected:
  // As a mount of that format reads the catalog, time and again.
  const SnapshotNames& names(const std::string& format = std::string(kTimeFormatDefault)) {
    last_ = std::make_shared<SnapshotNames>(catalog_.refresh(), format, last_.get());
    return *last_;
  }
  void remount() { last_ = nullptr; }
  void forget(const snapshot::SnapshotPtr& snapshot) { catalog_.remove({snapshot}); }
  std::string name_of(const snapshot::SnapshotPtr& snapshot,
                      const std::string& format = std::string(kTimeFormatDefault)) {
    return names(format).find(snapshot->number)->name;
  }

  snapshot::Catalog catalog_{made_.repository().storage()};
  std::shared_ptr<const SnapshotNames> last_;
};

TEST_F(StickyNamesTest, TwoServersInOneSecondKeepTheirNamesWhenOneIsForgotten) {
  const auto first = made_.add(kFirst, "db1", kData);
  const auto second = made_.add(kFirst, "db2", kData);
  EXPECT_EQ(name_of(first), kFirstName);
  EXPECT_EQ(name_of(second), kFirstName + "-2");
  forget(first);
  EXPECT_EQ(name_of(second), kFirstName + "-2");
  remount();
  EXPECT_EQ(name_of(second), kFirstName + "-2");
  EXPECT_EQ(names().find(kFirstName), nullptr);
}

TEST_F(StickyNamesTest, ACoarseFormatGivesNamesThatStay) {
  const std::string day = "%Y-%m-%d";
  const auto morning = made_.add(kFirst, "db1", kData);
  const auto noon = made_.add(kFirst + 60, "db1", kData);
  const auto earlier = made_.add(kFirst - 60, "db1", kData);
  EXPECT_EQ(name_of(morning, day), "2016-02-01");
  EXPECT_EQ(name_of(noon, day), "2016-02-01-2");
  EXPECT_EQ(name_of(earlier, day), "2016-02-01-3");
  forget(morning);
  remount();
  EXPECT_EQ(name_of(noon, day), "2016-02-01-2");
  EXPECT_EQ(name_of(earlier, day), "2016-02-01-3");
}

TEST_F(StickyNamesTest, ANameThatWasShownIsNotGivenAgainInTheSameMount) {
  const auto first = made_.add(kFirst, "db1", kData);
  EXPECT_EQ(name_of(first), kFirstName);
  forget(first);
  EXPECT_TRUE(names().all().empty());
  const auto again = made_.add(kFirst, "db1", kData);
  EXPECT_EQ(name_of(again), kFirstName + "-2");
}

TEST_F(StickyNamesTest, WhatAnEarlierProgramWroteKeepsItsNameInTheMount) {
  const auto first = made_.add(kFirst, "db1", kData);
  const auto second = made_.add(kFirst, "db1", kData);
  for (const auto& snapshot : {first, second}) {
    snapshot::Manifest old = *snapshot;
    old.neighbours.reset();
    test::rewrite_manifest(made_.repository().storage(), old);
  }
  EXPECT_EQ(name_of(first), kFirstName);
  EXPECT_EQ(name_of(second), kFirstName + "-2");
  forget(first);
  EXPECT_EQ(name_of(second), kFirstName + "-2");
}

TEST_F(StickyNamesTest, TheNewestWholeOneComesBeforeLesserOnes) {
  const auto change = [&](const snapshot::SnapshotPtr& one, const auto& how) {
    snapshot::Manifest manifest = *one;
    how(manifest);
    return test::rewrite_manifest(made_.repository().storage(), manifest);
  };
  const auto whole = made_.add(kFirst, "db1", kData);
  change(made_.add(kFirst + 1, "db1", kData),
         [](snapshot::Manifest& manifest) { manifest.filter.metastore_only = true; });
  change(made_.add(kFirst + 2, "db1", kData),
         [](snapshot::Manifest& manifest) { manifest.filter.databases = {"telegraf"}; });
  change(made_.add(kFirst + 3, "db1", kData), [](snapshot::Manifest& manifest) {
    manifest.problems.push_back({snapshot::Problem::Severity::kIncomplete, "a/b/1", "is lost"});
  });
  const SnapshotNames& shown = names();
  EXPECT_EQ(shown.newest_whole(nullptr)->snapshot->id, whole->id);
  EXPECT_EQ(shown.newest_whole(&shown.hosts().front())->snapshot->id, whole->id);
  const Timestamp end{(kFirst + 9) * test::kSecondNs};
  EXPECT_EQ(shown.newest_whole_until(end, nullptr)->snapshot->id, whole->id);
  EXPECT_EQ(shown.newest(nullptr)->snapshot->number, 4u);
  EXPECT_EQ(history().read_link(walk("/backups/latest")->inode), kFirstName);
  EXPECT_EQ(history().read_link(walk("/hosts/db1/backups/latest")->inode), kFirstName);
  EXPECT_EQ(history().read_link(walk("/at/now")->inode), "../backups/" + kFirstName);
  EXPECT_EQ(history().read_link(walk("/hosts/db1/at/now")->inode), "../backups/" + kFirstName);
  EXPECT_EQ(history().read_link(walk("/meta/latest")->inode), names().newest(nullptr)->name);
  const std::string newer = history().newer(walk("/backups/" + kFirstName)->inode);
  EXPECT_NE(newer.find("2016-02-01T18:02:39Z lacks a/b/1\n"), std::string::npos) << newer;
  EXPECT_NE(newer.find("2016-02-01T18:02:37Z holds the metastore only\n"), std::string::npos);
}

TEST_F(SnapshotNamesTest, LeavesOutSnapshotsThatNumbersCannotName) {
  snapshot::CatalogState state;
  const auto add = [&](uint32_t number, const std::string& server, uint64_t below) {
    auto manifest = std::make_shared<snapshot::Manifest>();
    manifest->number = number;
    manifest->server = server;
    manifest->data_below = below;
    state.snapshots.push_back(std::move(manifest));
  };
  add(1, "db1", 10);
  add(Inode::kSnapshotMax + 1, "db1", 10);
  add(2, "db1", uint64_t{1} << 32);
  add(3, "../../etc", 10);
  add(4, "", 10);
  add(1, "db1", 10);
  const SnapshotNames names(std::make_shared<const snapshot::CatalogState>(std::move(state)),
                            std::string(kTimeFormatDefault), nullptr);
  ASSERT_EQ(names.all().size(), 1u);
  EXPECT_EQ(names.all().front().snapshot->number, 1u);
  EXPECT_EQ(names.hosts().size(), 1u);
  EXPECT_EQ(names.problems().size(), 5u);
}

}  // namespace
}  // namespace tsmfs::fs
