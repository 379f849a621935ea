#include "index/base/recently_used.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace tsmfs {
namespace {

using Words = RecentlyUsed<int, std::string, std::hash<int>>;

TEST(RecentlyUsed, TheOneNotUsedForLongestGoesFirst) {
  Words words;
  for (int i = 1; i <= 3; ++i) words.add(i, std::to_string(i));
  EXPECT_EQ(*words.find(1), "1");
  EXPECT_EQ(words.take_oldest(), "2");
  EXPECT_EQ(words.take_oldest(), "3");
  EXPECT_EQ(words.size(), 1u);
  EXPECT_EQ(words.find(2), nullptr);
}

TEST(RecentlyUsed, WhatIsThereStays) {
  Words words;
  words.add(1, "first");
  words.add(1, "second");
  EXPECT_EQ(*words.find(1), "first");
  EXPECT_EQ(words.size(), 1u);
}

}  // namespace
}  // namespace tsmfs
