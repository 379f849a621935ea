#include "index/tsm/tsm_layout.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

std::variant<TsmLayout, TsmDefect> layout_of(ByteView bytes) {
  MemorySource source(bytes);
  return read_tsm_layout(source);
}

bool is_sound(ByteView bytes) {
  return std::holds_alternative<TsmLayout>(layout_of(bytes));
}

TEST(TsmLayout, FindsEveryBlock) {
  const ByteBuffer file = test::make_tsm(100, 700, 1);
  const auto layout = std::get<TsmLayout>(layout_of(file));
  ASSERT_EQ(layout.block_lengths.size(), 100u);
  EXPECT_EQ(layout.block_lengths[0], 704u);
  const uint64_t sum =
      std::accumulate(layout.block_lengths.begin(), layout.block_lengths.end(), uint64_t{0});
  EXPECT_EQ(layout.index_offset, kTsmHeaderBytes + sum);
  EXPECT_TRUE(is_sound_tsm_block(ByteView(file).subspan(kTsmHeaderBytes, 704)));
}

TEST(TsmLayout, NoPrefixIsSound) {
  const ByteBuffer file = test::make_tsm(5, 60, 2);
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(is_sound(ByteView(file).first(size))) << size;
}

TEST(TsmLayout, SurvivesEveryFlippedByte) {
  const ByteBuffer file = test::make_tsm(5, 60, 3);
  for (size_t i = 0; i < file.size(); ++i) {
    ByteBuffer damaged = file;
    damaged[i] ^= std::byte{0xff};
    layout_of(damaged);  // any answer will do, as long as it is one
  }
}

TEST(TsmLayout, RejectsBlocksThatOverlapOrLeaveGaps) {
  ByteBuffer file = test::make_tsm(2, 60, 4);
  const auto layout = std::get<TsmLayout>(layout_of(file));
  const size_t second_key =
      layout.index_offset + (file.size() - kTsmFooterBytes - layout.index_offset) / 2;
  const size_t key_length = load_be<uint16_t>(file.data() + second_key);
  std::byte* offset = file.data() + second_key + 2 + key_length + 3 + 16;
  for (const int by : {-1, 1}) {
    ByteBuffer changed = file;
    std::byte* place = changed.data() + (offset - file.data());
    store_be(place, load_be<uint64_t>(place) + static_cast<uint64_t>(by));
    EXPECT_FALSE(is_sound(changed));
  }
}

TEST(TsmLayout, RejectsKeysOutOfOrder) {
  ByteBuffer file = test::make_tsm(2, 60, 5);
  const auto layout = std::get<TsmLayout>(layout_of(file));
  file[layout.index_offset + 2] = std::byte{'z'};  // the first key comes after the second one now
  EXPECT_FALSE(is_sound(file));
}

TEST(TsmLayout, SeesAWrongCrc) {
  ByteBuffer file = test::make_tsm(1, 60, 6);
  file[20] ^= std::byte{1};
  EXPECT_FALSE(is_sound_tsm_block(ByteView(file).subspan(kTsmHeaderBytes, 64)));
}

}  // namespace
}  // namespace tsmfs::index
