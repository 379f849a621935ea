#include "index/cut/file_cutter.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

struct Cut {
  std::vector<size_t> lengths;
  ByteBuffer bytes;
  std::string defect;
};

Cut cut(ByteView file, FileKind kind) {
  MemorySource source(file);
  FileCutter cutter(source, kind);
  CutBatch batch;
  Cut result;
  while (cutter.next(batch)) {
    append(result.bytes, batch.bytes);
    if (batch.literal()) continue;
    EXPECT_EQ(std::accumulate(batch.lengths.begin(), batch.lengths.end(), size_t{0}),
              batch.bytes.size());
    EXPECT_LE(batch.bytes.size(), std::max(kBatchBytesMax, kTsmIndexKeyBytesMax));
    result.lengths.insert(result.lengths.end(), batch.lengths.begin(), batch.lengths.end());
  }
  result.defect = cutter.tsm_defect();
  return result;
}

TEST(FileCutter, TsmBlocksAreChunks) {
  const ByteBuffer file = test::make_tsm(3000, 1000, 1);
  const Cut result = cut(file, FileKind::kTsm);
  EXPECT_EQ(result.bytes, file);
  EXPECT_EQ(result.defect, "");
  for (size_t i = 0; i < 3000; ++i) EXPECT_EQ(result.lengths[i], 1004 + i % 7);
}

TEST(FileCutter, AnIndexIsCutAtItsKeys) {
  const ByteBuffer file = test::make_tsm(20'000, 300, 1);
  const Cut result = cut(file, FileKind::kTsm);
  EXPECT_EQ(result.bytes, file);
  const auto index = static_cast<size_t>(load_be<uint64_t>(file.data() + file.size() - 8));
  size_t end = kTsmHeaderBytes, chunks = 0;
  for (const size_t length : result.lengths) {
    if (end >= index) {
      ++chunks;
      ByteView keys = ByteView(file).subspan(end, length);
      while (const size_t key = tsm_index_key_bytes(keys)) keys = keys.subspan(key);
      EXPECT_TRUE(keys.empty());
    }
    end += length;
  }
  EXPECT_GT(chunks, 10u);
  EXPECT_LT(chunks, 40u);
  EXPECT_EQ(end, file.size() - kTsmFooterBytes);  // which is a literal
}

TEST(FileCutter, AKeyOfAnyLengthIsOneChunk) {
  for (const size_t blocks : {size_t{60'000}, size_t{65'535}}) {
    std::vector<int64_t> times(blocks);
    std::iota(times.begin(), times.end(), 0);
    const ByteBuffer file = test::make_point_tsm({{"cpu#!~#usage", times}}, 1);
    const Cut result = cut(file, FileKind::kTsm);
    EXPECT_EQ(result.bytes, file);
    EXPECT_GE(result.lengths.back(), blocks * kTsmIndexEntryBytes);
  }
}

TEST(FileCutter, SmallBlocksAreJoined) {
  const ByteBuffer file = test::make_tsm(1000, 30, 2);
  const Cut result = cut(file, FileKind::kTsm);
  EXPECT_EQ(result.bytes, file);
  EXPECT_LT(result.lengths.size(), 200u);
}

TEST(FileCutter, LargeBlocksAreCutByContent) {
  const ByteBuffer file = test::make_tsm({{1, 100}, {2, 5 << 20}, {3, 100}});
  const Cut result = cut(file, FileKind::kTsm);
  EXPECT_EQ(result.bytes, file);
  EXPECT_EQ(result.defect, "");
  EXPECT_GT(result.lengths.size(), 20u);
}

TEST(FileCutter, NamesABlockWithAWrongCrc) {
  for (const size_t block_bytes : {size_t{500}, size_t{3} << 20}) {
    ByteBuffer file = test::make_tsm({{1, 100}, {2, block_bytes}, {3, 100}});
    file[300] ^= std::byte{1};
    const Cut result = cut(file, FileKind::kTsm);
    EXPECT_EQ(result.bytes, file);
    EXPECT_NE(result.defect.find("block 1 "), std::string::npos) << result.defect;
  }
}

TEST(FileCutter, WhatIsNoTsmIsCutByContent) {
  const ByteBuffer file = test::random_bytes(3 << 20, 5);
  const Cut as_tsm = cut(file, FileKind::kTsm);
  EXPECT_EQ(as_tsm.bytes, file);
  EXPECT_NE(as_tsm.defect, "");
  const Cut as_other = cut(file, FileKind::kOther);
  EXPECT_EQ(as_other.lengths, as_tsm.lengths);
  EXPECT_EQ(as_other.defect, "");
}

TEST(FileCutter, EmptyFile) {
  EXPECT_TRUE(cut({}, FileKind::kOther).lengths.empty());
  EXPECT_NE(cut({}, FileKind::kTsm).defect, "");
}

}  // namespace
}  // namespace tsmfs::index
