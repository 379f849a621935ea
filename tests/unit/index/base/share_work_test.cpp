#include "index/base/share_work.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>

#include "index/base/error.h"
#include "index/base/mutex.h"

namespace tsmfs {
namespace {

TEST(ShareWork, DoesEachPieceOnce) {
  Mutex mutex;
  std::multiset<size_t> done;
  share_work(1000, 4, {}, [&](SharedWork& work) {
    while (const auto piece = work.take()) {
      const MutexLock lock(mutex);
      done.insert(*piece);
    }
  });
  EXPECT_EQ(done.size(), 1000u);
  EXPECT_EQ(std::set<size_t>(done.begin(), done.end()).size(), 1000u);
}

TEST(ShareWork, StartsNoMoreThreadsThanThereArePieces) {
  std::atomic<size_t> threads = 0;
  const auto count = [&](SharedWork&) { ++threads; };
  share_work(0, 4, {}, count);
  EXPECT_EQ(threads, 0u);
  share_work(2, 4, {}, count);
  EXPECT_EQ(threads, 2u);
  share_work(5, 0, {}, count);
  EXPECT_EQ(threads, 3u);
}

TEST(ShareWork, FailureEndsTheOthersAndIsTheOneThatIsThrown) {
  const auto fail_first = [](SharedWork& work) {
    while (const auto piece = work.take()) {
      if (*piece == 0) throw std::runtime_error("the first");
      while (!work.stop().stop_requested()) std::this_thread::yield();
      throw Cancelled();
    }
  };
  EXPECT_THROW(share_work(1000, 4, {}, fail_first), std::runtime_error);
}

TEST(ShareWork, StopEndsItAndIsCancelled) {
  std::stop_source stop;
  std::atomic<size_t> done = 0;
  const auto stop_at_once = [&](SharedWork& work) {
    while (work.take()) {
      ++done;
      stop.request_stop();
    }
  };
  EXPECT_THROW(share_work(1000, 2, stop.get_token(), stop_at_once), Cancelled);
  EXPECT_LE(done, 2u);
}

}  // namespace
}  // namespace tsmfs
