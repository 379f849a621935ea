#include "fs/history_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fs/open_file.h"
#include "index/base/error.h"
#include "tests/support/history_fixture.h"

namespace tsmfs::fs {
namespace {

using test::Files;

constexpr int64_t kFirst = 1'454'349'756;  // 2016-02-01T18:02:36Z
const std::string kFirstName = "2016-02-01T18:02:36Z";
const std::string kHourLater = "2016-02-01T19:02:36Z";

const Files kData = {{"my.db/autogen/2/000000001-000000001.tsm", "one"},
                     {"telegraf/autogen/10/000000002-000000001.tsm", "two"},
                     {"telegraf/autogen/2/000000001-000000001.tsm", "three"},
                     {"telegraf/autogen/2/fields.idx", "four"},
                     {"telegraf/year/7/index/0/L0-00000001.tsl", "five"},
                     {"日本/rp 1/3/000000001-000000001.tsm", "six"}};
const Files kMeta = {{"meta.db", "metastore"}, {"node.json", "{}"}};

class HistoryViewTest : public ::testing::Test {
 protected:
  HistoryView& history() { return made_.history(); }

  // Walks a path as the kernel does. std::nullopt when a name is not there.
  std::optional<Node> walk(const std::string& path) {
    std::optional<Node> at = history().node(Inode());
    size_t begin = 1;
    while (at && begin < path.size()) {
      const size_t end = std::min(path.find('/', begin), path.size());
      const auto found = history().lookup(at->inode, path.substr(begin, end - begin));
      if (!found) return std::nullopt;
      at = found->node;
      begin = end + 1;
    }
    return at;
  }
  std::vector<std::string> names(const Inode& directory) {
    std::vector<std::string> names;
    EXPECT_TRUE(history().list(directory, kCookieParent, Detail::kNames, [&](const Listed& listed) {
      names.emplace_back(listed.name);
      return true;
    }));
    return names;
  }
  std::vector<std::string> names(const std::string& path) {
    return names(walk(path).value().inode);
  }
  // Every node below `path`, by path.
  std::map<std::string, Node> all_below(const std::string& path) {
    std::map<std::string, Node> found;
    const std::function<void(const std::string&, const Node&)> visit = [&](const std::string& at,
                                                                           const Node& node) {
      found[at] = node;
      if (node.kind != NodeKind::kDirectory) return;
      for (const std::string& name : names(node.inode)) {
        visit(at + "/" + name, history().lookup(node.inode, name).value().node.value());
      }
    };
    visit(path, walk(path).value());
    return found;
  }
  std::vector<std::string> files_below(const std::string& path) {
    std::vector<std::string> files;
    for (const auto& [name, node] : all_below(path)) {
      if (node.kind == NodeKind::kFile) files.push_back(name.substr(path.size() + 1));
    }
    return files;
  }
  std::string read(const std::string& path) {
    const auto content = history().file(walk(path).value().inode);
    OpenFile file(made_.objects(), content.value(), ahead_);
    ReadBytes bytes;
    std::string text;
    for (const iovec& piece : file.read(0, 1 << 20, bytes))
      text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
    return text;
  }
  // Until the view has taken notice of what was published, as it does on its own within its
  // interval.
  void await(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(condition());
  }

  test::HistoryFixture made_;
  ReadAhead ahead_{size_t{64} << 20, 1};
};

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

TEST_F(HistoryViewTest, NamesSnapshotsAsAsked) {
  made_.add(kFirst, "db1", kData);
  made_.add(kFirst + 60, "db1", kData);
  snapshot::Catalog catalog(made_.repository().paths());
  const SnapshotNames names(catalog.refresh(), "%d.%m.%Y %H-");
  ASSERT_EQ(names.all().size(), 2u);
  EXPECT_EQ(names.all()[0].name, "01.02.2016 18-");
  EXPECT_EQ(names.all()[1].name, "01.02.2016 18--2");
  EXPECT_EQ(names.find("01.02.2016 18--2")->snapshot->number, 2u);
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

TEST_F(HistoryViewTest, ChangesShowsOnlyWhatIsNewOrReplaced) {
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

TEST_F(HistoryViewTest, ChangesLeavesOutDirectoriesThatOnlyLostFiles) {
  made_.add(kFirst, "db1", {{"a/b/1/x", "1"}, {"a/b/1/y", "2"}, {"a/b/2/", ""}});
  made_.add(kFirst + 3600, "db1", {{"a/b/1/x", "1"}});
  EXPECT_TRUE(names("/changes/" + kHourLater).empty());
  EXPECT_EQ(walk("/changes/" + kHourLater)->links, 2u);
}

TEST_F(HistoryViewTest, ChangesShowsANewEmptyDirectoryAndAChangeOfKind) {
  made_.add(kFirst, "db1", {{"a/b/1/x", "1"}, {"a/c", "a file"}});
  made_.add(kFirst + 3600, "db1", {{"a/b/1/x", "1"}, {"a/b/2/", ""}, {"a/c/d", "in a directory"}});
  EXPECT_EQ(names("/changes/" + kHourLater + "/a"), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(names("/changes/" + kHourLater + "/a/b"), std::vector<std::string>{"2"});
  EXPECT_EQ(names("/changes/" + kHourLater + "/a/c"), std::vector<std::string>{"d"});
}

TEST_F(HistoryViewTest, ChangesComparesWithTheSameServer) {
  made_.add(kFirst, "db1", kData);
  made_.add(kFirst + 1, "db2", {{"a/b/1/x", "1"}});
  made_.add(kFirst + 3600, "db1", kData);
  EXPECT_TRUE(names("/changes/" + kHourLater).empty());
  EXPECT_EQ(files_below("/changes/2016-02-01T18:02:37Z"), std::vector<std::string>{"a/b/1/x"});
}

TEST_F(HistoryViewTest, ChangesComparesWithTheParentWhileItIsThere) {
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

TEST_F(HistoryViewTest, SeesSnapshotsComeAndGo) {
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

TEST_F(HistoryViewTest, TellsApartSnapshotsThatHadOneNumber) {
  const auto first = made_.add(kFirst, "db1", kData);
  const auto node = walk("/backups/" + kFirstName).value();
  made_.forget(first);
  const auto second = made_.add(kFirst + 3600, "db1", kData);
  ASSERT_EQ(first->number, second->number);
  await([&] { return walk("/backups/" + kHourLater).has_value(); });
  EXPECT_EQ(walk("/backups/" + kHourLater)->inode, node.inode);
  EXPECT_NE(walk("/backups/" + kHourLater)->generation, node.generation);
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

TEST_F(HistoryViewTest, AListGoesOnWhereItWasWhenASnapshotIsForgotten) {
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

TEST_F(HistoryViewTest, ListedNodesAreThoseOfLookup) {
  made_.add(kFirst, "db1", kData, kMeta);
  for (const auto& [path, node] : all_below("/backups/" + kFirstName)) {
    if (node.kind != NodeKind::kDirectory) continue;
    history().list(node.inode, kCookieParent, Detail::kNodes, [&](const Listed& listed) {
      const auto found = history().lookup(node.inode, listed.name).value().node.value();
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
  snapshot::Catalog catalog(made_.repository().paths());
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
  snapshot::Catalog catalog(made_.repository().paths());
  catalog.publish(std::move(manifest));
  EXPECT_THROW(walk("/backups/" + kHourLater), CorruptError);
  EXPECT_TRUE(walk("/backups/" + kFirstName));
}

TEST_F(HistoryViewTest, LeavesOutSnapshotsThatNumbersCannotName) {
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

TEST_F(HistoryViewTest, AnswersManyThreadsWhileSnapshotsCome) {
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
