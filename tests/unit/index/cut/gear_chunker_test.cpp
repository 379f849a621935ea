#include "index/cut/gear_chunker.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

std::vector<size_t> cut_all(ByteView bytes, const CutParameters& parameters) {
  std::vector<size_t> ends;
  for (size_t done = 0; done < bytes.size();) {
    done += first_cut(bytes.subspan(done), parameters);
    ends.push_back(done);
  }
  return ends;
}

TEST(GearChunker, LengthsStayInBoundsAndNearTheAverage) {
  const ByteBuffer bytes = test::random_bytes(16 << 20, 1);
  const auto ends = cut_all(bytes, kCutsOfFiles);
  size_t last = 0;
  for (const size_t end : ends) {
    EXPECT_LE(end - last, kCutsOfFiles.bytes_max);
    if (end != bytes.size()) {
      EXPECT_GE(end - last, kCutsOfFiles.bytes_min);
    }
    last = end;
  }
  const double average = static_cast<double>(bytes.size()) / static_cast<double>(ends.size());
  EXPECT_NEAR(average, static_cast<double>(kCutsOfFiles.bytes_average),
              0.35 * static_cast<double>(kCutsOfFiles.bytes_average));
}

constexpr CutParameters kSmallCuts = {4 << 10, 16 << 10, 64 << 10};

TEST(GearChunker, CutsComeBackAfterAnInsertion) {
  ByteBuffer bytes = test::random_bytes(8 << 20, 2);
  const auto before = cut_all(bytes, kSmallCuts);
  const ByteBuffer inserted = test::random_bytes(100, 3);
  bytes.insert(bytes.begin() + 1000, inserted.begin(), inserted.end());
  const auto after = cut_all(bytes, kSmallCuts);
  const std::set<size_t> places(after.begin(), after.end());
  size_t kept = 0;
  for (const size_t end : before) kept += places.contains(end + inserted.size());
  EXPECT_GT(kept + 5, before.size());
}

TEST(GearChunker, UniformBytesAreCutAtTheMaximum) {
  const ByteBuffer zeros(1 << 20);
  EXPECT_EQ(first_cut(zeros, kCutsOfFiles), kCutsOfFiles.bytes_max);
}

TEST(GearChunker, ShortInputIsOneChunk) {
  const ByteBuffer bytes = test::random_bytes(100, 4);
  EXPECT_EQ(first_cut(bytes, kCutsOfFiles), 100u);
  EXPECT_EQ(first_cut({}, kCutsOfFiles), 0u);
}

}  // namespace
}  // namespace tsmfs::index
