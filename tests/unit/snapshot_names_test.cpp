#include "fs/snapshot_names.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/unit/history_view_fixture.h"

namespace tsmfs::fs {
namespace {

class SnapshotNamesTest : public HistoryViewTest {};

TEST_F(SnapshotNamesTest, NamesSnapshotsAsAsked) {
  made_.add(kFirst, "db1", kData);
  made_.add(kFirst + 60, "db1", kData);
  snapshot::Catalog catalog(made_.repository().paths());
  const SnapshotNames names(catalog.refresh(), "%d.%m.%Y %H-");
  ASSERT_EQ(names.all().size(), 2u);
  EXPECT_EQ(names.all()[0].name, "01.02.2016 18-");
  EXPECT_EQ(names.all()[1].name, "01.02.2016 18--2");
  EXPECT_EQ(names.find("01.02.2016 18--2")->snapshot->number, 2u);
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
                            std::string(kTimeFormatDefault));
  ASSERT_EQ(names.all().size(), 1u);
  EXPECT_EQ(names.all().front().snapshot->number, 1u);
  EXPECT_EQ(names.hosts().size(), 1u);
  EXPECT_EQ(names.problems().size(), 5u);
}

}  // namespace
}  // namespace tsmfs::fs
