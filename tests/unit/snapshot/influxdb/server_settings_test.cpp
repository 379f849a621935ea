#include "snapshot/influxdb/server_settings.h"

#include <gtest/gtest.h>

#include "index/base/error.h"
#include "snapshot/influxdb/influxql.h"
#include "tests/support/protobuf.h"

namespace tsmfs::snapshot {
namespace {

using support::protobuf::bytes;
using support::protobuf::number;

std::string grant(const std::string& on, uint64_t privilege) {
  return bytes(4, bytes(1, on) + number(2, privilege));
}
std::string user_with(const std::string& name, const std::string& grants, uint64_t admin = 0) {
  return bytes(6, bytes(1, name) + number(3, admin) + grants);
}
std::string query(const std::string& name, const std::string& text) {
  return bytes(4, bytes(1, name) + bytes(2, text));
}
std::string database_with(const std::string& name, const std::string& queries,
                          const std::string& subscription = "") {
  const std::string policy =
      bytes(1, "rp") + (subscription.empty() ? "" : bytes(6, bytes(1, subscription)));
  return bytes(5, bytes(1, name) + bytes(2, "rp") + bytes(3, policy) + queries);
}
std::string store(const std::string& rest) {
  return number(2, 5) + number(3, 7) + rest;
}
ServerSettings settings_of(const std::string& rest) {
  const std::string stored = store(rest);
  return read_settings(as_bytes(stored), "test");
}
MetaChoice only(const std::string& name) {
  MetaChoice choice;
  choice.filter.databases = {name};
  return choice;
}

const ServerSettings& full() {
  static const ServerSettings settings = settings_of(
      database_with("a", query("q", "CREATE CONTINUOUS QUERY q ON a BEGIN x END"), "sub") +
      database_with("b", "") + user_with("root", "", 1) +
      user_with("joe", grant("a", 1) + grant("b", 3)));
  return settings;
}

TEST(ServerSettings, AllIsMissingOnAnEmptyServer) {
  const MissingSettings missing = find_missing(full(), {}, {});
  EXPECT_EQ(missing.queries.size(), 1u);
  ASSERT_EQ(missing.users.size(), 2u);
  EXPECT_TRUE(missing.users[0].admin);
  EXPECT_EQ(missing.users[1].grants, (Grants{{"a", Privilege::kRead}, {"b", Privilege::kAll}}));
  EXPECT_EQ(missing.subscriptions.size(), 1u);
  EXPECT_TRUE(find_missing(full(), {}, full()).empty());
}

TEST(ServerSettings, UsersOfOneDatabaseAreThoseWithGrantsOnItAndNoAdministrators) {
  const MissingSettings missing = find_missing(full(), only("b"), {});
  EXPECT_TRUE(missing.queries.empty());
  ASSERT_EQ(missing.users.size(), 1u);
  EXPECT_EQ(missing.users[0].grants, (Grants{{"b", Privilege::kAll}}));
  EXPECT_FALSE(missing.users[0].admin);
}

TEST(ServerSettings, OfAShardNothingIsMissing) {
  MetaChoice choice;
  choice.filter.shard = 3;
  EXPECT_TRUE(find_missing(full(), choice, {}).empty());
}

TEST(ServerSettings, GrantsOfAUserWhoIsThereAreComparedUnderTheNewName) {
  MetaChoice choice = only("a");
  choice.new_database = "c";
  const auto with = [&](uint64_t privilege) {
    return find_missing(full(), choice, settings_of(user_with("joe", grant("c", privilege))))
        .grants;
  };
  EXPECT_TRUE(with(1).empty());
  EXPECT_TRUE(with(3).empty()) << "ALL includes READ";
  ASSERT_EQ(with(2).size(), 1u);
  EXPECT_EQ(with(2)[0].grants, (Grants{{"c", Privilege::kRead}}));
  EXPECT_FALSE(asks_for_settings(choice));
}

TEST(ServerSettings, LinesNameWhatIsMissingAndAreFitForATerminal) {
  const auto lines = describe(
      find_missing(settings_of(database_with("a\x1b", query("q", ""), "s") + user_with("u", "")),
                   {}, {}),
      {"one", "two", "three"});
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "continuous queries not restored: 'q' of 'a\\x1b' (one)");
  EXPECT_EQ(lines[1], "users not restored: 'u' (two)");
  EXPECT_EQ(lines[2], "subscriptions not restored: 's' of 'a\\x1b'.'rp' (three)");
}

TEST(SameMetastore, TheOrderOfGrantsDoesNotMatterAndAllElseDoes) {
  const auto same = [](const std::string& left, const std::string& right) {
    const std::string a = store(left), b = store(right);
    return same_metastore(as_bytes(a), as_bytes(b));
  };
  EXPECT_TRUE(same(user_with("u", grant("a", 1) + grant("b", 2)),
                   user_with("u", grant("b", 2) + grant("a", 1))));
  EXPECT_FALSE(same(user_with("u", grant("a", 1)), user_with("u", grant("a", 2))));
  EXPECT_FALSE(same(user_with("u", ""), user_with("v", "")));
  EXPECT_FALSE(
      same(user_with("u", "") + user_with("v", ""), user_with("v", "") + user_with("u", "")));
  EXPECT_FALSE(same_metastore(as_bytes("\xff"), as_bytes("\xfe")));
}

TEST(Influxql, NamesAndTextAreQuoted) {
  EXPECT_EQ(influxql_identifier("a\"b\\c\nd'e"), "\"a\\\"b\\\\c\\nd'e\"");
  EXPECT_EQ(influxql_string("a'b\\c\nd\"e"), "'a\\'b\\\\c\\nd\"e'");
}

TEST(Influxql, UsersComeBeforeTheirGrantsAndPasswordsAreNotShown) {
  const SettingsStatements made = statements_for(find_missing(full(), {}, {}), {});
  std::vector<std::string> shown;
  for (const InfluxqlStatement& statement : made.statements) {
    shown.push_back(statement.shown);
    EXPECT_EQ(statement.text.find("<random>"), std::string::npos);
  }
  EXPECT_EQ(shown,
            (std::vector<std::string>{
                "CREATE USER \"root\" WITH PASSWORD <random> WITH ALL PRIVILEGES",
                "CREATE USER \"joe\" WITH PASSWORD <random>", "GRANT READ ON \"a\" TO \"joe\"",
                "GRANT ALL ON \"b\" TO \"joe\"", "CREATE CONTINUOUS QUERY q ON a BEGIN x END"}));
  EXPECT_EQ(made.new_users, (std::vector<std::string>{"root", "joe"}));
  EXPECT_NE(made.statements[0].text, made.statements[1].text);
}

TEST(Influxql, AQueryThatIsNotWhatItIsKeptAsIsNotSent) {
  for (const char* text : {"CREATE CONTINUOUS QUERY q ON a BEGIN x END; DROP DATABASE a",
                           "CREATE CONTINUOUS QUERY other ON a BEGIN x END",
                           "CREATE CONTINUOUS QUERY q ON b BEGIN x", "DROP DATABASE a", ""}) {
    MissingSettings missing;
    missing.queries = {{"a", "q", text}};
    const SettingsStatements made = statements_for(missing, {});
    EXPECT_TRUE(made.statements.empty()) << text;
    EXPECT_EQ(made.left.queries.size(), 1u) << text;
  }
  MissingSettings missing;
  missing.queries = {{"a b", "q\"", "CREATE CONTINUOUS QUERY \"q\\\"\" ON \"a b\" BEGIN x END"}};
  EXPECT_EQ(statements_for(missing, {}).statements.size(), 1u);
  MetaChoice copy;
  copy.new_database = "c";
  EXPECT_TRUE(statements_for(missing, copy).statements.empty());
}

TEST(Influxql, AUserWhoIsThereBecomesNoAdministrator) {
  MissingSettings missing;
  missing.grants = {{"joe", true, {{"a", Privilege::kWrite}}}};
  const SettingsStatements made = statements_for(missing, {});
  ASSERT_EQ(made.statements.size(), 1u);
  EXPECT_EQ(made.statements[0].text, "GRANT WRITE ON \"a\" TO \"joe\"");
  ASSERT_EQ(made.left.grants.size(), 1u);
  EXPECT_TRUE(made.left.grants[0].admin);
}

}  // namespace
}  // namespace tsmfs::snapshot
