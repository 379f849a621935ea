#include "fs/tree_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "index/base/error.h"

namespace tsmfs::fs {
namespace {

class TreeCacheTest : public ::testing::Test {
 protected:
  index::TreeId store(size_t entry_count) {
    std::vector<snapshot::TreeEntry> entries;
    for (size_t i = 0; i < entry_count; ++i) {
      entries.push_back({*Name::parse(fmt::format("{:06}-000000001.tsm", i)),
                         snapshot::EntryKind::kFile,
                         0644,
                         {},
                         i,
                         0,
                         index::FileId()});
    }
    auto id = index::TreeId();
    store_le(id.bytes.data(), ++next_);
    nodes_[id] = snapshot::Tree(std::move(entries)).encode();
    return id;
  }
  TreeCache::Loader loader() {
    return [this](const index::TreeId& id) {
      ++loads_;
      const auto found = nodes_.find(id);
      if (found == nodes_.end()) throw CorruptError("absent");
      return found->second;
    };
  }

  uint64_t next_ = 0;
  std::map<index::TreeId, ByteBuffer> nodes_;
  std::atomic<int> loads_ = 0;
};

TEST_F(TreeCacheTest, LoadsANodeOnce) {
  TreeCache cache(loader());
  const auto id = store(10);
  const TreePtr first = cache.get(id);
  EXPECT_EQ(first->entries().size(), 10u);
  EXPECT_EQ(cache.get(id), first);
  EXPECT_EQ(loads_, 1);
}

TEST_F(TreeCacheTest, StaysWithinItsBytes) {
  constexpr size_t kBytesMax = 50'000;
  TreeCache cache(loader(), kBytesMax);
  for (int i = 0; i < 200; ++i) {
    cache.get(store(20));
    EXPECT_LE(cache.bytes(), kBytesMax);
  }
  EXPECT_GT(cache.bytes(), kBytesMax / 2);
}

TEST_F(TreeCacheTest, DropsTheLeastRecentlyUsed) {
  const auto used = store(20);
  const auto unused = store(20);
  TreeCache cache(loader(), 30'000);
  cache.get(used);
  cache.get(unused);
  for (int i = 0; i < 50; ++i) {
    cache.get(used);
    cache.get(store(20));
  }
  const int before = loads_;
  cache.get(used);
  EXPECT_EQ(loads_, before);
  cache.get(unused);
  EXPECT_EQ(loads_, before + 1);
}

TEST_F(TreeCacheTest, GivesANodeThatIsTooBigToKeep) {
  TreeCache cache(loader(), 1000);
  EXPECT_EQ(cache.get(store(100))->entries().size(), 100u);
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST_F(TreeCacheTest, TriesAgainAfterAFailure) {
  TreeCache cache(loader());
  const auto id = store(3);
  const ByteBuffer sound = nodes_[id];
  nodes_[id] = ByteBuffer(5);
  EXPECT_THROW(cache.get(id), CorruptError);
  nodes_[id] = sound;
  EXPECT_EQ(cache.get(id)->entries().size(), 3u);
}

TEST_F(TreeCacheTest, TakesManyThreads) {
  std::vector<index::TreeId> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(store(10));
  TreeCache cache(loader(), 40'000);
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (size_t i = 0; i < 2000; ++i) {
          if (cache.get(ids[(i * (t + 1)) % ids.size()])->entries().size() != 10) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(cache.bytes(), 40'000u);
}

}  // namespace
}  // namespace tsmfs::fs
