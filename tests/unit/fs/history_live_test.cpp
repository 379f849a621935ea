// Views while snapshots come and go.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/history_view_fixture.h"

namespace tsmfs::fs {
namespace {

class HistoryLiveTest : public HistoryViewTest {};

TEST_F(HistoryLiveTest, SeesSnapshotsComeAndGo) {
  made_.add(kFirst, "db1", kData);
  const auto first = walk("/backups/" + kFirstName + "/telegraf").value();
  const auto second = made_.add(kFirst + 3600, "db1", kData);
  await([&] { return walk("/backups/" + kHourLater).has_value(); });
  const auto gone = walk("/backups/" + kHourLater + "/telegraf").value();
  made_.forget(second);
  await([&] { return !walk("/backups/" + kHourLater).has_value(); });
  EXPECT_EQ(history().read_link(walk("/backups/latest")->inode), kFirstName);
  EXPECT_FALSE(history().node(gone.inode));
  EXPECT_FALSE(history().lookup(gone.inode, "autogen"));
  EXPECT_FALSE(history().list(gone.inode, 0, Detail::kNames, [](const Listed&) { return true; }));
  EXPECT_EQ(history().node(first.inode)->generation, first.generation);
}

TEST_F(HistoryLiveTest, TellsApartSnapshotsThatHadOneNumber) {
  const auto first = made_.add(kFirst, "db1", kData);
  const auto node = walk("/backups/" + kFirstName).value();
  made_.forget(first);
  const auto second = made_.add(kFirst + 3600, "db1", kData);
  ASSERT_EQ(first->number, second->number);
  await([&] { return walk("/backups/" + kHourLater).has_value(); });
  EXPECT_EQ(walk("/backups/" + kHourLater)->inode, node.inode);
  EXPECT_NE(walk("/backups/" + kHourLater)->generation, node.generation);
}

TEST_F(HistoryLiveTest, AListGoesOnWhereItWasWhenASnapshotIsForgotten) {
  std::vector<snapshot::SnapshotPtr> made;
  for (int i = 0; i < 4; ++i) made.push_back(made_.add(kFirst + i, "db1", {}));
  uint64_t cookie = 0;
  int taken = 0;
  const Inode backups = walk("/backups")->inode;
  history().list(backups, kCookieParent, Detail::kNames, [&](const Listed& listed) {
    if (taken == 3) return false;  // "latest" and two snapshots
    cookie = listed.cookie;
    return ++taken > 0;
  });
  made_.forget(made[1]);
  await([&] { return names(backups).size() == 4; });
  std::vector<std::string> rest;
  history().list(backups, cookie, Detail::kNames, [&](const Listed& listed) {
    rest.emplace_back(listed.name);
    return true;
  });
  EXPECT_EQ(rest, (std::vector<std::string>{"2016-02-01T18:02:38Z", "2016-02-01T18:02:39Z"}));
}

TEST_F(HistoryLiveTest, AnswersManyThreadsWhileSnapshotsCome) {
  made_.add(kFirst, "db1", kData, kMeta);
  const auto before = all_below("/backups/" + kFirstName);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        while (!done) {
          for (const auto& [path, node] : before) {
            if (history().node(node.inode)->size != node.size) ++wrong;
            if (names("/backups").size() < 2) ++wrong;
          }
        }
      });
    }
    for (int i = 1; i <= 10; ++i) made_.add(kFirst + i, "db1", kData, kMeta);
    await([&] { return names("/backups").size() == 12; });
    done = true;
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tsmfs::fs
