#include "index/tsm/tsm_summary.h"

#include <gtest/gtest.h>

#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

std::optional<TsmSummary> summary_of(ByteView bytes) {
  MemorySource source(bytes);
  return summarize_tsm(source);
}

TEST(TsmSummary, CountsKeysAndSpansAllPoints) {
  const auto summary =
      summary_of(test::make_point_tsm({{"a", {5, 6, 7}}, {"b", {-3, 6}}, {"c", {7, 8, 9, 20}}}, 2));
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->keys, 3u);
  EXPECT_EQ(summary->min_time_ns, -3);
  EXPECT_EQ(summary->max_time_ns, 20);
}

TEST(TsmSummary, KnowsUnsignedIntegers) {
  EXPECT_FALSE(summary_of(test::make_point_tsm({{"a", {5}}}))->has_unsigned);
  EXPECT_TRUE(summary_of(test::make_point_tsm({{"a", {5}}}, 1, 0, kTsmUnsignedType))->has_unsigned);
}

TEST(TsmSummary, SaysNothingOfWhatIsNoSoundTsmFile) {
  ByteBuffer tsm = test::make_point_tsm({{"a", {5, 6}}});
  EXPECT_TRUE(summary_of(tsm));
  EXPECT_FALSE(summary_of(ByteView(tsm).first(tsm.size() - 1)));
  EXPECT_FALSE(summary_of(as_bytes("tombstone")));
  EXPECT_FALSE(summary_of({}));
}

}  // namespace
}  // namespace tsmfs::index
