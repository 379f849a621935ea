#include "index/storage/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "index/base/error.h"
#include "tests/support/temp_dir.h"

namespace tsmfs::index {
namespace {

TEST(FileLock, OneHolderAtATime) {
  const test::TempDir dir;
  const auto file = dir / "lock";
  {
    const FileLock held(file, "it", LockRequest("testing"));
    EXPECT_THROW(FileLock(file, "it", LockRequest("testing")), BusyError);
  }
  EXPECT_NO_THROW(FileLock(file, "it", LockRequest("testing")));
}

// Whoever removes the file, as its holder may, takes the lock away from nobody who comes after.
TEST(FileLock, AFileThatIsRemovedMeanwhileIsNoLock) {
  const test::TempDir dir;
  const auto file = dir / "lock";
  std::atomic<int> holders = 0, most = 0, taken = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      while (taken < 400) {
        try {
          const FileLock held(file, "it", LockRequest("testing"));
          const int now = ++holders;
          if (now > most) most = now;
          ++taken;
          std::this_thread::yield();
          --holders;
          std::filesystem::remove(file);
        } catch (const BusyError&) {
          std::this_thread::yield();
        }
      }
    });
  threads.clear();
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace tsmfs::index
