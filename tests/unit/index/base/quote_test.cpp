#include "index/base/quote.h"

#include <gtest/gtest.h>

namespace tsmfs::snapshot {
namespace {

TEST(Quote, KeepsPlainAndUtf8Text) {
  EXPECT_EQ(quote("größe.db 1"), "'größe.db 1'");
}

TEST(Quote, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(quote(std::string("a\0b\x1b[2J\n'\\\x7f", 11)),
            "'a\\x00b\\x1b[2J\\x0a\\x27\\x5c\\x7f'");
}

TEST(Quote, CutsBetweenCharacters) {
  const std::string shown = quote(std::string(199, 'x') + "ö and more");
  EXPECT_EQ(shown, "'" + std::string(199, 'x') + "...'");
}

TEST(Quote, CutsLongText) {
  const std::string shown = quote(std::string(100'000, 'x'));
  EXPECT_LT(shown.size(), 300u);
  EXPECT_TRUE(shown.ends_with("...'"));
}

}  // namespace
}  // namespace tsmfs::snapshot
