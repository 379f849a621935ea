#include "snapshot/stream/spool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>

#include "index/base/error.h"

namespace tsmfs::snapshot {
namespace {

ByteBuffer random_bytes(size_t size, unsigned seed = 1) {
  std::mt19937 random(seed);
  ByteBuffer bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

bool equal(ByteView left, ByteView right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

std::filesystem::path directory() {
  return ::testing::TempDir();
}

TEST(Spool, IsEmptyAtFirst) {
  Spool spool(directory(), 100);
  EXPECT_EQ(spool.size(), 0u);
  EXPECT_TRUE(spool.view(0, 0).empty());
  EXPECT_FALSE(spool.spilled());
}

TEST(Spool, StaysInMemoryUpToItsLimit) {
  const ByteBuffer bytes = random_bytes(1000);
  Spool spool("/nonexistent", 1000);
  spool.append(bytes);
  EXPECT_FALSE(spool.spilled());
  EXPECT_TRUE(equal(spool.view(0, 1000), bytes));
  EXPECT_TRUE(equal(spool.view(999, 1), ByteView(bytes).subspan(999)));
}

TEST(Spool, ShowsMemoryWithoutACopy) {
  Spool spool(directory(), 1000);
  const MutableByteView room = spool.reserve(10);
  spool.commit(10);
  EXPECT_EQ(spool.view(0, 10).data(), room.data());
}

TEST(Spool, NeedsItsDirectoryOnlyPastTheLimit) {
  Spool spool("/nonexistent", 1000);
  spool.append(random_bytes(1001));
  EXPECT_THROW(spool.view(0, 1001), IoError);
}

TEST(Spool, GoesOnInAFilePastTheLimit) {
  const ByteBuffer bytes = random_bytes(5'000'000);
  for (const size_t limit : {0u, 1u, 4096u, 1u << 20, 4'999'999u, 5'000'000u}) {
    Spool spool(directory(), limit);
    spool.append(bytes);
    EXPECT_EQ(spool.spilled(), limit < bytes.size());
    EXPECT_TRUE(equal(spool.view(0, bytes.size()), bytes)) << limit;
    for (size_t offset = 0; offset < bytes.size(); offset += 777'777) {
      const size_t length = std::min<size_t>(1 << 20, bytes.size() - offset);
      EXPECT_TRUE(equal(spool.view(offset, length), ByteView(bytes).subspan(offset, length)))
          << limit << " " << offset;
    }
  }
}

TEST(Spool, LeavesNoNameBehind) {
  const std::filesystem::path place = directory() / "spool_names";
  std::filesystem::create_directory(place);
  Spool spool(place, 0);
  spool.append(random_bytes(100));
  spool.view(0, 100);
  EXPECT_TRUE(std::filesystem::is_empty(place));
  std::filesystem::remove(place);
}

TEST(Spool, TakesLessThanWasReserved) {
  Spool spool(directory(), 4);
  ByteBuffer expected;
  for (unsigned i = 0; i < 10; ++i) {
    const MutableByteView room = spool.reserve(100);
    ASSERT_FALSE(room.empty());
    const size_t count = std::min<size_t>(room.size(), 3);
    std::fill_n(room.begin(), count, static_cast<std::byte>(i));
    expected.insert(expected.end(), count, static_cast<std::byte>(i));
    spool.commit(count);
  }
  EXPECT_EQ(spool.size(), expected.size());
  EXPECT_TRUE(equal(spool.view(0, expected.size()), expected));
}

TEST(Spool, CommitOfNothingAddsNothing) {
  Spool spool(directory(), 0);
  spool.reserve(10);
  spool.commit(0);
  EXPECT_EQ(spool.size(), 0u);
}

TEST(Spool, CanBeUsedAgainAfterClear) {
  Spool spool(directory(), 1000);
  spool.append(random_bytes(3000, 1));
  spool.view(2000, 500);
  for (const size_t size : {500u, 3000u}) {
    spool.clear();
    EXPECT_EQ(spool.size(), 0u);
    const ByteBuffer bytes = random_bytes(size, 2);
    spool.append(bytes);
    EXPECT_TRUE(equal(spool.view(0, size), bytes));
  }
}

// Any order of appends and views, against a plain buffer.
TEST(Spool, AgreesWithABufferInAnyOrder) {
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    Spool spool(directory(), random() % 3 == 0 ? 0 : random() % 3'000'000);
    ByteBuffer model;
    for (int step = 0; step < 30; ++step) {
      if (random() % 2 == 0 || model.empty()) {
        const ByteBuffer piece = random_bytes(random() % 300'000, static_cast<unsigned>(random()));
        spool.append(piece);
        append(model, piece);
      } else {
        const size_t offset = random() % model.size();
        const size_t length = random() % (model.size() - offset + 1);
        ASSERT_TRUE(equal(spool.view(offset, length), ByteView(model).subspan(offset, length)));
      }
      ASSERT_EQ(spool.size(), model.size());
    }
  }
}

}  // namespace
}  // namespace tsmfs::snapshot
