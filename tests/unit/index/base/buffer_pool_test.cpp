#include "index/base/buffer_pool.h"

#include <gtest/gtest.h>

#include <thread>

namespace tsmfs {
namespace {

TEST(BufferPool, GivesABufferAgainOnceItIsLetGo) {
  BufferPool pool(1000, 2);
  const std::byte* first = nullptr;
  {
    const auto buffer = pool.take(900);
    EXPECT_EQ(buffer->size(), 900u);
    first = buffer->data();
    const auto other = pool.take(900);
    EXPECT_NE(other->data(), first);
  }
  const auto again = pool.take(1000);
  EXPECT_EQ(again->size(), 1000u);
  EXPECT_EQ(again->data(), first);
}

TEST(BufferPool, OddSizesGetBuffersOfTheirOwn) {
  BufferPool pool(1000, 4);
  EXPECT_EQ(pool.take(499)->capacity(), 499u);
  EXPECT_EQ(pool.take(500)->capacity(), 1000u);
  EXPECT_EQ(pool.take(1001)->capacity(), 1001u);
  EXPECT_EQ(pool.take(0)->size(), 0u);
}

TEST(BufferPool, KeepsNoMoreThanItMay) {
  BufferPool pool(1000, 1);
  auto one = pool.take(1000), other = pool.take(1000);
  const std::byte* const kept = one->data();
  one.reset();
  other.reset();
  EXPECT_EQ(pool.take(1000)->data(), kept);
}

TEST(BufferPool, BuffersOutliveItAndItsThreads) {
  std::shared_ptr<RawBuffer> last;
  {
    BufferPool pool(1000, 4);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 1000; ++j) pool.take(1000)->data()[999] = std::byte{1};
      });
    threads.clear();
    last = pool.take(1000);
  }
  last->data()[0] = std::byte{2};
}

}  // namespace
}  // namespace tsmfs
