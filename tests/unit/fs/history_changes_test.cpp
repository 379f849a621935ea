// What /changes shows.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/history_view_fixture.h"

namespace tsmfs::fs {
namespace {

class HistoryChangesTest : public HistoryViewTest {};

TEST_F(HistoryChangesTest, ChangesShowsOnlyWhatIsNewOrReplaced) {
  made_.add(kFirst, "db1", kData);
  Files next = kData;
  next["telegraf/autogen/2/fields.idx"] = "replaced";
  next["telegraf/autogen/11/000000001-000000001.tsm"] = "added";
  next.erase("my.db/autogen/2/000000001-000000001.tsm");
  made_.add(kFirst + 3600, "db1", next);
  const std::string changes = "/changes/" + kHourLater;
  EXPECT_EQ(files_below(changes),
            (std::vector<std::string>{"telegraf/autogen/11/000000001-000000001.tsm",
                                      "telegraf/autogen/2/fields.idx"}));
  EXPECT_EQ(names(changes), std::vector<std::string>{"telegraf"});
  EXPECT_EQ(names(changes + "/telegraf"), std::vector<std::string>{"autogen"});
  EXPECT_EQ(walk(changes + "/telegraf")->links, 3u);
  EXPECT_FALSE(walk(changes + "/telegraf/year"));
  EXPECT_FALSE(walk(changes + "/telegraf/autogen/2/000000001-000000001.tsm"));
  EXPECT_EQ(read(changes + "/telegraf/autogen/2/fields.idx"), "replaced");
  // The ordinals are those of the whole snapshot, and what is left out has no node here.
  const auto whole = all_below("/backups/" + kHourLater);
  const auto shown = all_below(changes);
  for (const auto& [path, node] : whole) {
    const std::string rest = path.substr(("/backups/" + kHourLater).size());
    const auto found = shown.find(changes + rest);
    const auto by_number =
        history().node({View::kChanges, node.inode.snapshot, node.inode.ordinal});
    EXPECT_EQ(by_number.has_value(), found != shown.end()) << rest;
    EXPECT_TRUE(found == shown.end() || found->second.inode.ordinal == node.inode.ordinal) << rest;
  }
}

TEST_F(HistoryChangesTest, ChangesLeavesOutDirectoriesThatOnlyLostFiles) {
  made_.add(kFirst, "db1", {{"a/b/1/x", "1"}, {"a/b/1/y", "2"}, {"a/b/2/", ""}});
  made_.add(kFirst + 3600, "db1", {{"a/b/1/x", "1"}});
  EXPECT_TRUE(names("/changes/" + kHourLater).empty());
  EXPECT_EQ(walk("/changes/" + kHourLater)->links, 2u);
}

TEST_F(HistoryChangesTest, ChangesShowsANewEmptyDirectoryAndAChangeOfKind) {
  made_.add(kFirst, "db1", {{"a/b/1/x", "1"}, {"a/c", "a file"}});
  made_.add(kFirst + 3600, "db1", {{"a/b/1/x", "1"}, {"a/b/2/", ""}, {"a/c/d", "in a directory"}});
  EXPECT_EQ(names("/changes/" + kHourLater + "/a"), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(names("/changes/" + kHourLater + "/a/b"), std::vector<std::string>{"2"});
  EXPECT_EQ(names("/changes/" + kHourLater + "/a/c"), std::vector<std::string>{"d"});
}

TEST_F(HistoryChangesTest, ChangesComparesWithTheSameServer) {
  made_.add(kFirst, "db1", kData);
  made_.add(kFirst + 1, "db2", {{"a/b/1/x", "1"}});
  made_.add(kFirst + 3600, "db1", kData);
  EXPECT_TRUE(names("/changes/" + kHourLater).empty());
  EXPECT_EQ(files_below("/changes/2016-02-01T18:02:37Z"), std::vector<std::string>{"a/b/1/x"});
}

TEST_F(HistoryChangesTest, ChangesComparesWithTheParentWhileItIsThere) {
  const auto parent = made_.add(kFirst, "db1", {{"a/b/1/x", "same"}});
  made_.add(kFirst + 60, "db1", {{"a/b/1/x", "other"}});
  made_.set_next_parent(parent->id);
  made_.add(kFirst + 3600, "db1", {{"a/b/1/x", "same"}});
  EXPECT_TRUE(names("/changes/" + kHourLater).empty());
  const uint32_t generation = walk("/changes/" + kHourLater)->generation;
  made_.forget(parent);
  await([&] { return !names("/changes/" + kHourLater).empty(); });
  EXPECT_EQ(files_below("/changes/" + kHourLater), std::vector<std::string>{"a/b/1/x"});
  EXPECT_NE(walk("/changes/" + kHourLater)->generation, generation);
}

}  // namespace
}  // namespace tsmfs::fs
