#include "index/base/visible.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace tsmfs {
namespace {

TEST(Visible, LeavesTextOfAnyScriptAlone) {
  for (const char* text : {"", "telegraf", "größe", "日本", "a\\b 'c'", "🙂", "\u00a0"})
    EXPECT_EQ(visible(text), text);
}

TEST(Visible, ShowsWhatATerminalWouldObey) {
  EXPECT_EQ(visible(std::string_view("a\0\x1b]0;t\x07\r\n\t\x7f", 12)),
            "a\\x00\\x1b]0;t\\x07\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(visible("\u009b31m\u0085"), "\\u009b31m\\u0085");
  EXPECT_EQ(visible("\u202egpj.exe\u2066\u2069\u200f\u2028\u2029"),
            "\\u202egpj.exe\\u2066\\u2069\\u200f\\u2028\\u2029");
}

TEST(Visible, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(visible("\x9b\xff"), "\\x9b\\xff");
  EXPECT_EQ(visible("\xc0\x9b"), "\\xc0\\x9b") << "an overlong form";
  EXPECT_EQ(visible("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");
  EXPECT_EQ(visible("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(visible("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80");
  EXPECT_EQ(visible("\xe2\x80"), "\\xe2\\x80") << "cut short";
}

TEST(Visible, LinesOfAMessageAreSetOff) {
  EXPECT_EQ(visible_lines("a\n\x1b"), "a\n\\x1b");
  EXPECT_EQ(visible_message("a\ntsmfs: all is well"), "a\n  tsmfs: all is well");
}

TEST(Visible, JsonMeansWhatItMeant) {
  const std::string value = "a\x1b\x7f\u009b\u202e\n\"\\ größe";
  const std::string shown = visible_json(nlohmann::json{{"k", value}}.dump(1));
  EXPECT_EQ(nlohmann::json::parse(shown).at("k"), value);
  EXPECT_EQ(visible_lines(shown), shown);
}

TEST(Visible, WhatComesOutStaysAsItIs) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 12, ' ');
    for (char& c : text) c = static_cast<char>(random());
    const std::string shown = visible(text);
    ASSERT_EQ(visible(shown), shown);
    ASSERT_EQ(unfinished_bytes(shown), 0u);
  }
}

TEST(Visible, KnowsUtf8) {
  EXPECT_TRUE(is_utf8("größe\u009b🙂"));
  for (const char* text : {"\xff", "a\xc3", "\xed\xa0\x80"}) EXPECT_FALSE(is_utf8(text));
}

TEST(UnfinishedBytes, AreThoseOfACharacterThatGoesOn) {
  EXPECT_EQ(unfinished_bytes(""), 0u);
  EXPECT_EQ(unfinished_bytes("aö"), 0u);
  EXPECT_EQ(unfinished_bytes("a\xc3"), 1u);
  EXPECT_EQ(unfinished_bytes("a\xf0\x9f\x99"), 3u);
  EXPECT_EQ(unfinished_bytes("🙂"), 0u);
  EXPECT_EQ(unfinished_bytes("\x80\x80\x80\x80"), 0u) << "none that would ever end";
}

}  // namespace
}  // namespace tsmfs
