#include "snapshot/upkeep/copier.h"

#include <gtest/gtest.h>

#include <fstream>

#include "index/base/error.h"
#include "snapshot/upkeep/repair.h"
#include "tests/support/repository_paths.h"
#include "tests/support/snapshots_in.h"
#include "tests/unit/backup_fixture.h"

namespace tsmfs::snapshot {
namespace {

namespace stdfs = std::filesystem;

class CopierTest : public TwoBackupsTest {
 protected:
  CopierTest() { index::Repository::create({other}); }

  // Calls `visit` with a copier from one repository into the other and each snapshot of the first.
  template <typename Visit>
  void for_each_original(const stdfs::path& from, const stdfs::path& to, const Visit& visit) {
    const auto source = index::Repository::open_reader({from});
    const auto target = index::Repository::open_writer({to, "test"});
    index::RepositoryWriter writer(*target, {});
    Catalog catalog(target->storage());
    catalog.refresh();
    Copier copier(*source, *target, writer, catalog, stop.get_token());
    const auto originals = Catalog(source->storage()).refresh();
    for (const SnapshotPtr& one : originals->snapshots) visit(copier, one);
  }

  // Copies what is missing; the copies, in the order of the originals. `new_bytes` gets their sum.
  std::vector<SnapshotPtr> copy_all(const stdfs::path& from, const stdfs::path& to,
                                    uint64_t* new_bytes = nullptr) {
    std::vector<SnapshotPtr> copies;
    for_each_original(from, to, [&](Copier& copier, const SnapshotPtr& one) {
      SnapshotPtr there = copier.find_copy(*one);
      if (there) copier.learn(*one, *there);
      if (!there) {
        there = copier.copy(*one);
        if (new_bytes) *new_bytes += there->new_bytes;
      }
      copies.push_back(there);
    });
    return copies;
  }

  struct Healing {
    bool healed = false;
    std::vector<std::string> lost;
  };
  Healing heal_all(const stdfs::path& from, const stdfs::path& to) {
    Healing healing;
    for_each_original(from, to, [&](Copier& copier, const SnapshotPtr& one) {
      const SnapshotPtr there = copier.find_copy(*one);
      if (copier.is_whole(*there)) return;
      healing.healed = true;
      for (std::string& line : copier.heal(*one, *there)) healing.lost.push_back(std::move(line));
      EXPECT_TRUE(!healing.lost.empty() || copier.is_whole(*there));
    });
    return healing;
  }

  static std::vector<stdfs::path> all_packs(const stdfs::path& repository_root) {
    std::map<stdfs::file_time_type, stdfs::path> found;
    for (const stdfs::path& pack : test::pack_files(repository_root))
      found.emplace(stdfs::last_write_time(pack), pack);
    std::vector<stdfs::path> oldest_first;
    for (const auto& [time, path] : found) oldest_first.push_back(path);
    return oldest_first;
  }
  void lose(const stdfs::path& repository_root, const stdfs::path& pack) {
    stdfs::remove(pack);
    const auto repository = index::Repository::open_writer({repository_root, "test"});
    const RepairReport report = repair_repository(*repository, {}, stop.get_token());
    EXPECT_GT(report.lossy_files + report.unreadable.size(), 0u);
  }

  static FileContents contents(const stdfs::path& repository_root, const index::TreeId& tree) {
    const auto repository = index::Repository::open_reader({repository_root});
    FileContents found;
    read_below(*repository, tree, "", found);
    return found;
  }

  stdfs::path other = dir / "other";
};

TEST_F(CopierTest, CopiesHoldTheSameBytesAndNameTheirOriginals) {
  const auto copies = copy_all(root, other);
  ASSERT_EQ(copies.size(), 2u);
  EXPECT_EQ(contents(other, copies[0]->data), older_files);
  EXPECT_EQ(contents(other, copies[1]->data), expected(state));
  EXPECT_EQ(contents(other, copies[1]->meta), contents_of(newer->meta));
  EXPECT_EQ(copies[0]->time, older->time);
  EXPECT_EQ(copies[0]->original->snapshot, older->id);
  EXPECT_EQ(copies[1]->parent, copies[0]->id);
  EXPECT_NE(copies[1]->data, newer->data) << "another repository has another secret";
}

TEST_F(CopierTest, SecondCopyStoresWhatIsNewOnly) {
  copy_all(root, other);
  EXPECT_EQ(copy_all(root, other).size(), 2u);
  EXPECT_EQ(test::snapshots_in(other)->snapshots.size(), 2u);
  state.shards[{"db", "rp", 1}]["000000009-000000001.tsm"] = tsm(20, 77);
  state.tell(*fake);
  const auto newest = back_up();
  uint64_t new_bytes = 0;
  const auto copies = copy_all(root, other, &new_bytes);
  EXPECT_EQ(contents(other, copies.back()->data), expected(state));
  EXPECT_LT(new_bytes, uint64_t{30'000});
  EXPECT_GT(new_bytes, uint64_t{10'000});
}

TEST_F(CopierTest, CopyOfACopyIsKnownAsTheOriginal) {
  copy_all(root, other);
  // Back again: everything is there.
  EXPECT_EQ(copy_all(other, root).at(0)->id, older->id);
  EXPECT_EQ(snapshots()->snapshots.size(), 2u);
  const stdfs::path third = dir / "third";
  index::Repository::create({third});
  copy_all(other, third);
  EXPECT_EQ(copy_all(root, third).size(), 2u);
  EXPECT_EQ(test::snapshots_in(third)->snapshots.size(), 2u);
}

TEST_F(CopierTest, DamagedSourceIsNotCopied) {
  for (const auto& pack : packs()) {
    std::fstream file(pack, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(stdfs::file_size(pack) / 4));
    file.write("damage", 6);
  }
  EXPECT_THROW(copy_all(root, other), CorruptError);
  EXPECT_TRUE(test::snapshots_in(other)->snapshots.empty());
}

// As `copy --from SECOND` is to heal the first.
TEST_F(CopierTest, WhatRepairFoundLostComesBack) {
  copy_all(root, other);
  lose(root, all_packs(root).front());
  EXPECT_TRUE(heal_all(other, root).healed);
  EXPECT_EQ(contents(root, older->data), older_files);
  EXPECT_EQ(contents(root, newer->data), expected(state));
  EXPECT_FALSE(heal_all(other, root).healed) << "nothing is lost any more";
}

TEST_F(CopierTest, ACopyWhoseTreesAreLostIsHealed) {
  const auto copies = copy_all(root, other);
  for (const stdfs::path& pack : all_packs(other)) lose(other, pack);
  const Healing healing = heal_all(root, other);
  EXPECT_TRUE(healing.healed);
  EXPECT_TRUE(healing.lost.empty());
  EXPECT_EQ(contents(other, copies[0]->data), older_files);
  EXPECT_EQ(contents(other, copies[1]->data), expected(state));
}

TEST_F(CopierTest, WhatBothHaveLostIsNamedAndTheRestComesBack) {
  const auto copies = copy_all(root, other);
  for (const stdfs::path& pack : all_packs(other)) lose(other, pack);
  lose(root, all_packs(root).back());  // what the newer snapshot alone has
  const Healing healing = heal_all(root, other);
  EXPECT_FALSE(healing.lost.empty());
  EXPECT_EQ(contents(other, copies[0]->data), older_files);
}

TEST_F(CopierTest, StopsWhenItIsTold) {
  stop.request_stop();
  EXPECT_THROW(copy_all(root, other), Cancelled);
}

}  // namespace
}  // namespace tsmfs::snapshot
