#include "fs/history_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "index/base/error.h"
#include "tests/unit/history_view_fixture.h"

namespace tsmfs::fs {
namespace {

TEST_F(HistoryViewTest, WithoutSnapshotsHasEmptyLists) {
  EXPECT_EQ(names("/"), (std::vector<std::string>{"backups", "changes", "meta", "hosts"}));
  for (const char* path : {"/backups", "/changes", "/meta", "/hosts"}) {
    EXPECT_TRUE(names(path).empty()) << path;
    EXPECT_FALSE(walk(std::string(path) + "/latest")) << path;
  }
  EXPECT_EQ(history().totals().bytes, 0u);
}

TEST_F(HistoryViewTest, ShowsASnapshotInEveryView) {
  made_.add(kFirst, "db1", kData, kMeta);
  std::vector<std::string> expected;
  for (const auto& [path, content] : kData) expected.push_back(path);
  for (const char* prefix :
       {"/backups/", "/changes/", "/hosts/db1/backups/", "/hosts/db1/changes/"}) {
    EXPECT_EQ(files_below(prefix + kFirstName), expected) << prefix;
    for (const auto& [path, content] : kData)
      EXPECT_EQ(read(prefix + kFirstName + "/" + path), content);
  }
  for (const char* prefix : {"/meta/", "/hosts/db1/meta/"}) {
    EXPECT_EQ(files_below(prefix + kFirstName), (std::vector<std::string>{"meta.db", "node.json"}))
        << prefix;
    EXPECT_EQ(read(prefix + kFirstName + "/meta.db"), "metastore");
  }
}

TEST_F(HistoryViewTest, LatestLeadsToTheNewest) {
  made_.add(kFirst + 3600, "db1", kData);
  made_.add(kFirst, "db2", kData);
  EXPECT_EQ(history().read_link(walk("/backups/latest")->inode), kHourLater);
  EXPECT_EQ(history().read_link(walk("/meta/latest")->inode), kHourLater);
  EXPECT_EQ(history().read_link(walk("/hosts/db1/backups/latest")->inode), kHourLater);
  EXPECT_EQ(history().read_link(walk("/hosts/db2/changes/latest")->inode), kFirstName);
  EXPECT_EQ(walk("/backups/latest")->kind, NodeKind::kLink);
  EXPECT_EQ(walk("/backups/latest")->size, kHourLater.size());
}

TEST_F(HistoryViewTest, AtLeadsToTheNewestThatIsNotLater) {
  made_.add(kFirst, "one", kData);
  made_.add(kFirst + 3600, "other", kData);
  const auto target = [this](const std::string& path) {
    const auto node = walk(path);
    return node ? history().read_link(node->inode).value_or("no link") : "absent";
  };
  const std::string first = "../backups/" + kFirstName, second = "../backups/" + kHourLater;
  EXPECT_EQ(target("/at/" + kFirstName), first);
  EXPECT_EQ(target("/at/2016-02-01T19:02:35Z"), first);
  EXPECT_EQ(target("/at/2016-02-01T20:02:36+01:00"), second);
  EXPECT_EQ(target("/at/2016-02-01"), second);
  EXPECT_EQ(target("/at/now"), second);
  EXPECT_EQ(target("/at/2h-ago"), second);
  EXPECT_EQ(target("/hosts/one/at/now"), first);
  for (const char* none : {"/at/2016-01-31", "/at/2016-02-01T18:02:35Z", "/at/100y-ago", "/at/x",
                           "/at/-ago", "/hosts/other/at/2016-02-01T18:30:00Z"})
    EXPECT_EQ(target(none), "absent") << none;
  EXPECT_EQ(std::ranges::count(names("/"), "at"), 0);
  EXPECT_EQ(names("/at"), std::vector<std::string>());
  EXPECT_EQ(walk("/at/now")->inode, walk("/at/" + kHourLater)->inode);
  EXPECT_EQ(history().describe(walk("/hosts/one/at/now")->inode), "/hosts/one/at/" + kFirstName);
  EXPECT_EQ(history().lookup(walk("/at/now")->inode, "..")->node->inode, walk("/at")->inode);
}

TEST_F(HistoryViewTest, TellsApartSnapshotsOfOneSecond) {
  made_.add(kFirst, "db1", {{"a/b/1/x", "first"}});
  made_.add(kFirst, "db2", {{"a/b/1/x", "second"}});
  made_.add(kFirst, "db1", {{"a/b/1/x", "third"}});
  EXPECT_EQ(names("/backups"),
            (std::vector<std::string>{"latest", kFirstName, kFirstName + "-2", kFirstName + "-3"}));
  EXPECT_EQ(read("/backups/" + kFirstName + "-2/a/b/1/x"), "second");
  EXPECT_EQ(names("/hosts/db1/backups"),
            (std::vector<std::string>{"latest", kFirstName, kFirstName + "-3"}));
  EXPECT_EQ(read("/hosts/db2/backups/" + kFirstName + "-2/a/b/1/x"), "second");
  EXPECT_FALSE(walk("/hosts/db2/backups/" + kFirstName));
}

TEST_F(HistoryViewTest, NumbersComeBackToTheirNodes) {
  made_.add(kFirst, "db1", kData, kMeta);
  made_.add(kFirst + 3600, "db1", kData, kMeta);
  const auto nodes = all_below("");
  std::set<uint64_t> numbers;
  made_.remount();
  for (const auto& [path, node] : nodes) {
    EXPECT_TRUE(numbers.insert(node.inode.number()).second) << path;
    const auto inode = Inode::from_number(node.inode.number());
    ASSERT_TRUE(inode) << path;
    const auto again = history().node(*inode);
    ASSERT_TRUE(again) << path;
    EXPECT_EQ(again->inode, node.inode) << path;
    EXPECT_EQ(again->generation, node.generation) << path;
    EXPECT_EQ(again->size, node.size) << path;
    EXPECT_EQ(again->links, node.links) << path;
    EXPECT_EQ(again->mtime, node.mtime) << path;
    const std::string described = history().describe(*inode);
    EXPECT_EQ(described.substr(0, described.find(" (snapshot")), path.empty() ? "/" : path);
  }
}

TEST_F(HistoryViewTest, DotsLeadToSelfAndParent) {
  made_.add(kFirst, "db1", kData, kMeta);
  for (const auto& [path, node] : all_below("")) {
    if (node.kind != NodeKind::kDirectory) continue;
    EXPECT_EQ(history().lookup(node.inode, ".").value().node->inode, node.inode) << path;
    const auto above =
        walk(path.substr(0, path.rfind('/') == std::string::npos ? 0 : path.rfind('/')));
    EXPECT_EQ(history().lookup(node.inode, "..").value().node->inode, above->inode) << path;
    std::vector<Inode> dots;
    history().list(node.inode, 0, Detail::kNodes, [&](const Listed& listed) {
      dots.push_back(listed.inode);
      return dots.size() < 2;
    });
    EXPECT_EQ(dots, (std::vector<Inode>{node.inode, above->inode})) << path;
  }
}

TEST_F(HistoryViewTest, CountsLinksOfDirectories) {
  made_.add(kFirst, "db1", kData, kMeta);
  for (const auto& [path, node] : all_below("")) {
    if (node.kind != NodeKind::kDirectory) {
      EXPECT_EQ(node.links, 1u) << path;
      continue;
    }
    uint32_t directories = 0;
    history().list(node.inode, kCookieParent, Detail::kNames, [&](const Listed& listed) {
      directories += listed.kind == NodeKind::kDirectory ? 1 : 0;
      return true;
    });
    EXPECT_EQ(node.links, 2 + directories) << path;
  }
}

TEST_F(HistoryViewTest, FilesAndDirectoriesHaveTheirAttributes) {
  made_.add(kFirst, "db1", kData, kMeta);
  const auto file = walk("/backups/" + kFirstName + "/telegraf/autogen/2/fields.idx").value();
  EXPECT_EQ(file.mode, 0644u);
  EXPECT_EQ(file.size, 4u);
  EXPECT_EQ(file.mtime.unix_ns, 1'454'349'756'123'456'789);
  EXPECT_TRUE(file.attributes_fixed && file.name_fixed);
  const auto directory = walk("/backups/" + kFirstName).value();
  EXPECT_EQ(directory.mode, 0755u);
  EXPECT_EQ(directory.mtime.unix_ns, kFirst * test::kSecondNs);
  EXPECT_TRUE(directory.attributes_fixed);
  EXPECT_FALSE(directory.name_fixed);  // the snapshot may be forgotten
  EXPECT_FALSE(walk("/backups")->attributes_fixed);
  EXPECT_EQ(history().totals().files, kData.size());
  EXPECT_EQ(history().totals().bytes, 22u);
}

TEST_F(HistoryViewTest, UnknownNumbersHaveNoNode) {
  made_.add(kFirst, "db1", kData, kMeta);
  const uint64_t below = all_below("/backups/" + kFirstName).size() - 1;
  for (const View view : {View::kBackups, View::kChanges, View::kHostBackups}) {
    EXPECT_TRUE(history().node({view, 1, static_cast<uint32_t>(below)}));
    EXPECT_FALSE(history().node({view, 1, static_cast<uint32_t>(below + 1)}));
    EXPECT_FALSE(history().node({view, 1, UINT32_MAX}));
    EXPECT_FALSE(history().node({view, 2, 0}));
    EXPECT_FALSE(history().lookup({view, 2, 0}, "telegraf"));
    EXPECT_FALSE(history().file({view, 1, UINT32_MAX}));
    EXPECT_TRUE(history().describe({view, 2, 0}).empty());
  }
  EXPECT_FALSE(history().node({View::kMeta, 1, 3}));
  EXPECT_FALSE(history().node({View::kHost, 9, ordinal_of({ListKind::kRoot, {}})}));
  EXPECT_FALSE(history().lookup({View::kHost, 9, ordinal_of({ListKind::kRoot, {}})}, "backups"));
}

TEST_F(HistoryViewTest, AbsentNamesInASnapshotStayAbsent) {
  made_.add(kFirst, "db1", kData);
  const auto inside = history().lookup(walk("/backups/" + kFirstName)->inode, "absent").value();
  EXPECT_FALSE(inside.node);
  EXPECT_TRUE(inside.absence_fixed);
  const auto in_list = history().lookup(walk("/backups")->inode, "absent").value();
  EXPECT_FALSE(in_list.node);
  EXPECT_FALSE(in_list.absence_fixed);
}

TEST_F(HistoryViewTest, ListsGoOnFromEveryCookie) {
  for (int i = 0; i < 5; ++i) made_.add(kFirst - i, i % 2 == 0 ? "db1" : "db2", kData, kMeta);
  for (const auto& [path, node] : all_below("")) {
    if (node.kind != NodeKind::kDirectory) continue;
    std::vector<std::string> whole, pieces;
    history().list(node.inode, 0, Detail::kNames, [&](const Listed& listed) {
      whole.emplace_back(listed.name);
      return true;
    });
    uint64_t cookie = 0;
    for (bool more = true; more;) {
      more = false;
      history().list(node.inode, cookie, Detail::kNodes, [&](const Listed& listed) {
        if (more) return false;
        pieces.emplace_back(listed.name);
        cookie = listed.cookie;
        return more = true;
      });
    }
    EXPECT_EQ(pieces, whole) << path;
  }
}

TEST_F(HistoryViewTest, ListedNodesAreThoseOfLookup) {
  made_.add(kFirst, "db1", kData, kMeta);
  for (const auto& [path, node] : all_below("/backups/" + kFirstName)) {
    if (node.kind != NodeKind::kDirectory) continue;
    const Inode directory = node.inode;
    history().list(directory, kCookieParent, Detail::kNodes, [&](const Listed& listed) {
      const auto found = history().lookup(directory, listed.name).value().node.value();
      EXPECT_EQ(listed.inode, found.inode);
      EXPECT_EQ(listed.node.value().inode, found.inode);
      EXPECT_EQ(listed.node->size, found.size);
      EXPECT_EQ(listed.node->links, found.links);
      EXPECT_EQ(listed.kind, found.kind);
      return true;
    });
  }
}

TEST_F(HistoryViewTest, OneDamagedTreeDoesNotHideItsNeighbours) {
  snapshot::Catalog catalog(made_.repository().storage());
  snapshot::Manifest broken;
  broken.id = index::random_id<index::SnapshotId>();
  broken.time.unix_ns = kFirst * test::kSecondNs;
  broken.server = "db1";
  broken.data = index::random_id<index::TreeId>();
  catalog.publish(std::move(broken));
  made_.add(kFirst + 3600, "db2", kData);
  EXPECT_EQ(names("/backups").size(), 3u);
  EXPECT_THROW(walk("/backups/" + kFirstName), CorruptError);
  EXPECT_EQ(files_below("/backups/" + kHourLater).size(), kData.size());
}

TEST_F(HistoryViewTest, RefusesATreeWhoseCountsAreWrong) {
  auto manifest = *made_.add(kFirst, "db1", kData);
  manifest.id = index::random_id<index::SnapshotId>();
  manifest.time.unix_ns += 3600 * test::kSecondNs;
  manifest.data_below += 1;
  snapshot::Catalog catalog(made_.repository().storage());
  catalog.publish(std::move(manifest));
  EXPECT_THROW(walk("/backups/" + kHourLater), CorruptError);
  EXPECT_TRUE(walk("/backups/" + kFirstName));
}

}  // namespace
}  // namespace tsmfs::fs
