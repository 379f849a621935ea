// Statements of InfluxQL that bring what the snapshot service does not: users, grants, continuous
// queries.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "snapshot/influxdb/server_settings.h"
#include "snapshot/influxdb/shard_choice.h"

namespace tsmfs::snapshot {

// "name", with what the language wants escaped. For any bytes.
std::string influxql_identifier(std::string_view name);
// 'text', likewise.
std::string influxql_string(std::string_view text);

// What stands for a measurement behind FROM, and for a field in a function. A name that a text in
// quotes cannot have, since it has a NUL or a carriage return (scanner.go), is an expression that
// takes it alone.
std::string influxql_measurement(std::string_view name);
std::string influxql_field(std::string_view name);
// Of these names no query finds a measurement, or a field: the language means its own by them
// (influxql: IsSystemName; query/compile.go, tsdb/engine/tsm1: _name, _tagKey, _fieldKey).
bool is_measurement_of_influxql(std::string_view name);
bool is_field_of_influxql(std::string_view name);

struct InfluxqlStatement {
  std::string text;
  std::string shown;  // for a person: without the password
};

struct SettingsStatements {
  std::vector<InfluxqlStatement> statements;  // in the order in which they have to be sent
  std::vector<std::string> new_users;         // are made with a random password
  MissingSettings left;                       // what they do not bring
};

// Passwords cannot be read back, so that a user that is missing gets a random one that nobody
// knows. A user that is there is made no administrator. A continuous query is sent as the server
// kept it, so it has to be one statement that makes the query that it is kept as; one of a copy
// under another name is left, since it names the original.
SettingsStatements statements_for(const MissingSettings& missing, const MetaChoice& choice);

}  // namespace tsmfs::snapshot
