#include "index/tsm/tsm_cover.h"

#include <gtest/gtest.h>

#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

Cover cover(const ByteBuffer& newer, const ByteBuffer& older) {
  MemorySource newer_source(newer), older_source(older);
  return cover_tsm(newer_source, older_source);
}

TEST(TsmCover, TellsAllSomeAndNone) {
  const auto small =
      test::make_point_tsm({{"a", test::times(0, 2500)}, {"c", test::times(10, 20)}});
  const auto large = test::make_point_tsm(
      {{"a", test::times(-50, 4000)}, {"b", {1}}, {"c", test::times(0, 100)}}, 700, 3);
  EXPECT_EQ(cover(large, small), Cover::kAll);
  EXPECT_EQ(cover(small, large), Cover::kSome);
  EXPECT_EQ(cover(test::make_point_tsm({{"b", test::times(0, 9999)}}), small), Cover::kNone);
  EXPECT_EQ(cover(small, small), Cover::kAll);
}

TEST(TsmCover, RangesThatInterleaveAreNoCover) {
  const auto even = test::make_point_tsm({{"a", test::times(2, 2000, 2)}});
  const auto odd = test::make_point_tsm({{"a", test::times(1, 3000, 2)}});
  EXPECT_EQ(cover(odd, even), Cover::kNone);
}

TEST(TsmCover, OneMissingPointIsSeen) {
  auto points = test::times(0, 3000);
  const auto whole = test::make_point_tsm({{"a", points}});
  points.erase(points.begin() + 1500);
  EXPECT_EQ(cover(test::make_point_tsm({{"a", points}}), whole), Cover::kSome);
}

TEST(TsmCover, PointsThatAreNotInOrderAreNoCover) {
  const auto tangled = test::make_point_tsm({{"a", {5, 9, 7}}}, 1);
  EXPECT_EQ(cover(tangled, tangled), Cover::kNone);
}

TEST(TsmCover, PointThatIsThereTwiceIsOnePoint) {
  EXPECT_EQ(cover(test::make_point_tsm({{"a", {5, 9}}}), test::make_point_tsm({{"a", {5, 5, 9}}})),
            Cover::kAll);
}

TEST(TsmCover, WhatIsNoTsmIsCoveredByNothing) {
  const auto file = test::make_point_tsm({{"a", test::times(0, 10)}});
  EXPECT_EQ(cover(file, test::random_bytes(1000, 1)), Cover::kNone);
  EXPECT_EQ(cover(test::random_bytes(1000, 1), file), Cover::kNone);
}

}  // namespace
}  // namespace tsmfs::index
