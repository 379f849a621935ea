#include "snapshot/influxdb/influxql.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "index/base/bytes.h"
#include "index/format/digest.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kPasswordBytes = 32;

std::string quoted(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == mark || c == '\\') out += '\\';
    out += c;
  }
  return out + mark;
}

bool has_no_quoted_text(std::string_view name) {
  constexpr std::string_view kUnquotable("\0\r", 2);
  return name.find_first_of(kUnquotable) != std::string_view::npos;
}

// An expression, as regexp of Go has it, that matches this text alone.
std::string expression_of(std::string_view text) {
  constexpr unsigned char kFirstNotAscii = 0x80;
  std::string out = "/^";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= kFirstNotAscii || std::isalnum(byte) != 0)
      out += c;
    else
      out += fmt::format("\\x{:02x}", byte);
  }
  return out + "$/";
}

std::string random_password() {
  std::array<std::byte, kPasswordBytes> bytes;
  index::fill_random(bytes);
  return to_hex(bytes);
}

InfluxqlStatement create_user(const User& user) {
  const std::string head =
      fmt::format("CREATE USER {} WITH PASSWORD ", influxql_identifier(user.name));
  const std::string tail = user.admin ? " WITH ALL PRIVILEGES" : "";
  return {head + influxql_string(random_password()) + tail, head + "<random>" + tail};
}

void add_grants(const User& user, std::vector<InfluxqlStatement>& statements) {
  for (const auto& [database, given] : user.grants) {
    const std::string text = fmt::format(
        "GRANT {} ON {} TO {}", given == Privilege::kAll ? "ALL" : privilege_name(given),
        influxql_identifier(database), influxql_identifier(user.name));
    statements.push_back({text, text});
  }
}

// Takes one of the ways in which a name can stand there from the text.
bool take_name(std::string_view& text, std::string_view name) {
  for (const std::string& form : {influxql_identifier(name), std::string(name)}) {
    if (!text.starts_with(form + " ")) continue;
    text.remove_prefix(form.size() + 1);
    return true;
  }
  return false;
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// Without a semicolon it is one statement, whatever stands in it.
bool makes_what_it_is_kept_as(const ContinuousQuery& query) {
  std::string_view text = query.statement;
  return text.find(';') == std::string_view::npos && take(text, "CREATE CONTINUOUS QUERY ") &&
         take_name(text, query.name) && take(text, "ON ") && take_name(text, query.database);
}

}  // namespace

std::string influxql_identifier(std::string_view name) {
  return quoted(name, '"');
}

std::string influxql_measurement(std::string_view name) {
  return has_no_quoted_text(name) ? expression_of(name) : influxql_identifier(name);
}

// A tag can have the same name.
std::string influxql_field(std::string_view name) {
  return has_no_quoted_text(name) ? expression_of(name) : influxql_identifier(name) + "::field";
}

bool is_measurement_of_influxql(std::string_view name) {
  constexpr std::array<std::string_view, 7> kSystemNames = {
      "_fieldKeys", "_fields", "_measurements", "_series", "_shards", "_tagKeys", "_tags"};
  return std::ranges::count(kSystemNames, name) > 0;
}

bool is_field_of_influxql(std::string_view name) {
  constexpr std::array<std::string_view, 4> kVariables = {"_fieldKey", "_name", "_seriesKey",
                                                          "_tagKey"};
  return std::ranges::count(kVariables, name) > 0;
}

std::string influxql_string(std::string_view text) {
  return quoted(text, '\'');
}

SettingsStatements statements_for(const MissingSettings& missing, const MetaChoice& choice) {
  SettingsStatements made;
  for (const User& user : missing.users) {
    made.statements.push_back(create_user(user));
    made.new_users.push_back(user.name);
    add_grants(user, made.statements);
  }
  for (const User& user : missing.grants) {
    add_grants(user, made.statements);
    if (user.admin) made.left.grants.push_back({user.name, true, {}});
  }
  const bool copy = choice.new_database || choice.new_policy;
  for (const ContinuousQuery& query : missing.queries) {
    if (!copy && makes_what_it_is_kept_as(query)) {
      made.statements.push_back({query.statement, query.statement});
    } else {
      made.left.queries.push_back(query);
    }
  }
  made.left.subscriptions = missing.subscriptions;
  return made;
}

}  // namespace tsmfs::snapshot
