// A history that is mounted without a kernel, walked as the kernel would.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "fs/history_view.h"
#include "fs/open_file.h"
#include "tests/support/history_fixture.h"

namespace tsmfs::fs {

using test::Files;

inline constexpr int64_t kFirst = 1'454'349'756;  // 2016-02-01T18:02:36Z
inline const std::string kFirstName = "2016-02-01T18:02:36Z";
inline const std::string kHourLater = "2016-02-01T19:02:36Z";

inline const Files kData = {{"my.db/autogen/2/000000001-000000001.tsm", "one"},
                            {"telegraf/autogen/10/000000002-000000001.tsm", "two"},
                            {"telegraf/autogen/2/000000001-000000001.tsm", "three"},
                            {"telegraf/autogen/2/fields.idx", "four"},
                            {"telegraf/year/7/index/0/L0-00000001.tsl", "five"},
                            {"日本/rp 1/3/000000001-000000001.tsm", "six"}};
inline const Files kMeta = {{"meta.db", "metastore"}, {"node.json", "{}"}};

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

}  // namespace tsmfs::fs
