#include "index/base/name.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "index/base/error.h"

namespace tsmfs {
namespace {

TEST(Name, TakesWhatAFileSystemTakes) {
  for (const std::string& text :
       {std::string("telegraf"), std::string("größe.db 1"), std::string("..."), std::string("a\\b"),
        std::string("q\x1b[31m"), std::string("\xff"), std::string(255, 'x')}) {
    const auto name = Name::parse(text);
    ASSERT_TRUE(name) << text;
    EXPECT_EQ(name->text(), text);
  }
}

TEST(Name, RefusesWhatLeavesItsDirectory) {
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("/"), std::string("a/b"),
        std::string("../../escape"), std::string("/etc"), std::string("a\0b", 3),
        std::string(256, 'x')}) {
    EXPECT_FALSE(Name::parse(text)) << text;
    EXPECT_THROW(Name::require(text, "the test"), CorruptError) << text;
  }
}

TEST(Name, IsMadeByItsParserAlone) {
  static_assert(!std::is_default_constructible_v<Name>);
  static_assert(!std::is_constructible_v<Name, std::string>);
  static_assert(!std::is_constructible_v<Name, std::string_view>);
  static_assert(!std::is_constructible_v<Name, const char*>);
  EXPECT_THROW(Name("../escape"), CorruptError);  // a literal is checked, too
}

TEST(Name, AMovedFromNameIsStillOne) {
  Name from = "telegraf";
  const Name to = std::move(from);
  EXPECT_EQ(to, "telegraf");
  EXPECT_EQ(from, "telegraf");  // NOLINT(bugprone-use-after-move): that is what is tested
}

TEST(Name, AnErrorNamesItVisibly) {
  try {
    Name::require("a/\x1b[31m", "the manifest");
    FAIL();
  } catch (const CorruptError& error) {
    EXPECT_STREQ(error.what(),
                 "the manifest holds the name 'a/\\x1b[31m', which no directory can have");
  }
}

TEST(Name, InfluxdTakesNoBackslashAndNoControlCharacters) {
  EXPECT_TRUE(is_influxd_name("my db 100%.v2"));
  for (const char* text : {"a\\b", "a\nb", "a\x7f", "..", ""}) EXPECT_FALSE(is_influxd_name(text));
}

}  // namespace
}  // namespace tsmfs
