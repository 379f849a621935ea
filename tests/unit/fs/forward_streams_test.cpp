#include "fs/read_ahead.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "index/repository/object_reader.h"
#include "tests/support/history_fixture.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::fs {
namespace {

constexpr size_t kFileBytes = size_t{12} << 20;
constexpr size_t kReadBytes = size_t{128} << 10;

// A file of about twelve frames, read by a repository whose cache is empty.
class ForwardStreamsTest : public ::testing::Test {
 protected:
  ForwardStreamsTest() {
    const auto content = test::make_tsm(kFileBytes / 1000, 1000, 5);
    {
      index::RepositoryWriter writer(made.repository(), {});
      id = test::put(writer, content, index::FileKind::kTsm).id;
      writer.flush();
    }
    reader = index::Repository::open_reader({made.dir() / "repo"});
  }
  index::FileReader file() { return reader->objects().open_file(id); }
  size_t cached() { return reader->objects().frames().bytes(); }
  bool becomes(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return condition();
  }

  test::HistoryFixture made;
  index::FileId id;
  std::unique_ptr<index::Repository> reader;
};

TEST_F(ForwardStreamsTest, ForwardReadsAreFetchedAheadButNotTheWholeFile) {
  ReadAhead ahead(size_t{64} << 20, 2);
  ForwardStreams streams(ahead);
  const auto open = file();
  for (uint64_t offset = 0; offset < 4 * kReadBytes; offset += kReadBytes)
    streams.note(open, offset, kReadBytes);
  EXPECT_TRUE(
      becomes([&] { return cached() >= ReadAhead::kWindowBytesMax - ReadAhead::kPieceBytes; }));
  EXPECT_LT(cached(), ReadAhead::kWindowBytesMax + 4 * ReadAhead::kPieceBytes);
}

TEST_F(ForwardStreamsTest, ScatteredReadsFetchNothing) {
  ReadAhead ahead(size_t{64} << 20, 2);
  {
    ForwardStreams streams(ahead);
    const auto open = file();
    for (const uint64_t at : {11u, 0u, 6u}) streams.note(open, at << 20, 4096);
    EXPECT_EQ(ahead.window_bytes(), ReadAhead::kWindowBytesMax);
  }
  EXPECT_EQ(cached() / (size_t{1} << 20), 0u);  // recipe's frame only
}

TEST_F(ForwardStreamsTest, ManyStreamsShareTheBudget) {
  ReadAhead ahead(size_t{16} << 20, 1);
  EXPECT_EQ(ahead.window_bytes(), ReadAhead::kWindowBytesMax);
  for (int i = 0; i < 2; ++i) ahead.add_stream();
  EXPECT_EQ(ahead.window_bytes(), size_t{2} << 20);
  for (int i = 0; i < 98; ++i) ahead.add_stream();
  EXPECT_EQ(ahead.window_bytes(), 0u);
  for (int i = 0; i < 100; ++i) ahead.remove_stream();
  EXPECT_EQ(ahead.window_bytes(), ReadAhead::kWindowBytesMax);
}

TEST_F(ForwardStreamsTest, StreamsOfAClosedFileCountNoMore) {
  ReadAhead ahead(size_t{8} << 20, 1);
  {
    ForwardStreams one(ahead), other(ahead);
    const auto open = file();
    for (uint64_t offset = 0; offset < 4 * kReadBytes; offset += kReadBytes) {
      one.note(open, offset, kReadBytes);
      other.note(open, offset, kReadBytes);
    }
    EXPECT_EQ(ahead.window_bytes(), size_t{1} << 20);
  }
  EXPECT_EQ(ahead.window_bytes(), size_t{2} << 20);
}

TEST_F(ForwardStreamsTest, EndsWhileMuchIsWaiting) {
  const auto open = file();
  ReadAhead ahead(size_t{1} << 30, 1);
  for (uint64_t at = 0; at < 12; ++at) ahead.fetch(open, at << 20, ReadAhead::kPieceBytes);
}

}  // namespace
}  // namespace tsmfs::fs
