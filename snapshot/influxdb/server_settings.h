// What a metastore holds beside databases and shards: continuous queries, users with their grants,
// and subscriptions; and which of them a restore did not bring.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "snapshot/influxdb/shard_choice.h"

namespace tsmfs::snapshot {

struct ContinuousQuery {
  std::string database, name;
  std::string statement;  // CREATE CONTINUOUS QUERY ..., as the server keeps it
};

// As the server numbers them; others are none.
enum class Privilege : int { kRead = 1, kWrite = 2, kAll = 3 };
using Grants = std::map<std::string, Privilege>;  // by database

struct User {
  std::string name;
  bool admin = false;
  Grants grants;
};

struct Subscription {
  std::string database, policy, name;
  auto operator<=>(const Subscription&) const = default;
};

struct ServerSettings {
  std::vector<ContinuousQuery> queries;
  std::vector<User> users;
  std::vector<Subscription> subscriptions;
};

// Names and statements are as they are stored: to be shown they have to be quoted. Throws:
// CorruptError, naming `object`.
ServerSettings read_settings(ByteView meta_db, std::string_view object);

// What of a snapshot belongs to the chosen databases and is not on the target, under the names that
// the target has for it.
struct MissingSettings {
  std::vector<ContinuousQuery> queries;     // of the snapshot's database name
  std::vector<User> users;                  // the target has none of the name
  std::vector<User> grants;                 // of users that the target has
  std::vector<Subscription> subscriptions;  // of the snapshot's names
  bool empty() const {
    return queries.empty() && users.empty() && grants.empty() && subscriptions.empty();
  }
};

// Of a choice that is not everything, users count by their grants on its databases, and are no
// administrators. Of a single shard nothing is missing: it has no settings.
MissingSettings find_missing(const ServerSettings& snapshot, const MetaChoice& choice,
                             const ServerSettings& target);

// True when whole databases are restored under their own names: what is missing was asked for.
bool asks_for_settings(const MetaChoice& choice);

// Why they did not come, and what would bring them.
struct MissingReasons {
  std::string queries, users, subscriptions;
};
// One line a kind, fit for a terminal.
std::vector<std::string> describe(const MissingSettings& missing, const MissingReasons& reasons);

// "READ", "ALL PRIVILEGES"
std::string_view privilege_name(Privilege privilege);

// Whether two metastores say the same: the server writes the grants of a user in any order.
bool same_metastore(ByteView left, ByteView right);

}  // namespace tsmfs::snapshot
