#include "snapshot/influxdb/server_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/base/some_of.h"
#include "snapshot/influxdb/metastore_message.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kSettingsShownMax = 10;

std::optional<Privilege> privilege(int number) {
  if (number < static_cast<int>(Privilege::kRead) || number > static_cast<int>(Privilege::kAll))
    return std::nullopt;
  return static_cast<Privilege>(number);
}

bool includes(Privilege has, Privilege wanted) {
  return has == wanted || has == Privilege::kAll;
}

template <typename Items>
auto find_named(const Items& items, std::string_view name) {
  return std::ranges::find_if(items, [&](const auto& item) { return item.name == name; });
}

// Looks for what of a snapshot a target does not have.
class Search {
 public:
  Search(const MetaChoice& choice, const ServerSettings& target)
      : choice_(choice), target_(target) {}

  void look_for(const ContinuousQuery& query) {
    if (!takes(query.database)) return;
    const bool there = std::ranges::any_of(target_.queries, [&](const auto& other) {
      return other.database == database_there(query.database) && other.name == query.name;
    });
    if (!there) missing_.queries.push_back(query);
  }

  void look_for(const Subscription& subscription) {
    if (!takes(subscription.database)) return;
    const Filter& filter = choice_.filter;
    if (!filter.policy.empty() && filter.policy != subscription.policy) return;
    Subscription wanted = subscription;
    wanted.database = database_there(subscription.database);
    if (choice_.new_policy) wanted.policy = choice_.new_policy->text();
    if (std::ranges::find(target_.subscriptions, wanted) == target_.subscriptions.end())
      missing_.subscriptions.push_back(subscription);
  }

  void look_for(const User& user) {
    const bool everything = choice_.is_everything();
    User wanted{user.name, everything && user.admin, {}};
    for (const auto& [database, given] : user.grants)
      if (everything || takes(database)) wanted.grants.emplace(database_there(database), given);
    if (!everything && wanted.grants.empty()) return;
    const auto there = find_named(target_.users, user.name);
    if (there == target_.users.end()) {
      missing_.users.push_back(std::move(wanted));
      return;
    }
    std::erase_if(wanted.grants, [&](const auto& grant) {
      const auto has = there->grants.find(grant.first);
      return there->admin || (has != there->grants.end() && includes(has->second, grant.second));
    });
    wanted.admin = wanted.admin && !there->admin;
    if (wanted.admin || !wanted.grants.empty()) missing_.grants.push_back(std::move(wanted));
  }

  MissingSettings take() { return std::move(missing_); }

 private:
  bool takes(const std::string& database) const {
    const bool named = !choice_.filter.databases.empty();
    return choice_.filter.takes_database(database) && (named || database != kInternalDatabase);
  }
  std::string database_there(const std::string& database) const {
    return choice_.new_database && takes(database) ? choice_.new_database->text() : database;
  }

  const MetaChoice& choice_;
  const ServerSettings& target_;
  MissingSettings missing_;
};

template <typename Items, typename Describe>
void add_line(std::vector<std::string>& lines, const char* what, const Items& items,
              Describe describe_item, const std::string& reason) {
  if (items.empty()) return;
  std::vector<std::string> names;
  names.reserve(items.size());
  for (const auto& item : items) names.push_back(describe_item(item));
  lines.push_back(
      fmt::format("{} not restored: {} ({})", what, some_of(names, kSettingsShownMax), reason));
}

std::string describe_grants(const User& user) {
  std::vector<std::string> grants;
  if (user.admin) grants.push_back("ALL PRIVILEGES");
  for (const auto& [database, given] : user.grants)
    grants.push_back(fmt::format("{} on {}", privilege_name(given), quote(database)));
  return fmt::format("{} to {}", fmt::join(grants, ", "), quote(user.name));
}

std::optional<metastore::Data> parse(ByteView meta_db) {
  try {
    return parse_metastore_message(meta_db, "the metastore");
  } catch (const CorruptError&) {
    return std::nullopt;
  }
}

// With the grants of each user in order.
std::string in_order(metastore::Data data) {
  for (auto& user : *data.mutable_users()) {
    auto* grants = user.mutable_privileges();
    std::sort(grants->pointer_begin(), grants->pointer_end(), [](auto* left, auto* right) {
      return std::pair(left->database(), left->privilege()) <
             std::pair(right->database(), right->privilege());
    });
  }
  return data.SerializeAsString();
}

}  // namespace

ServerSettings read_settings(ByteView meta_db, std::string_view object) {
  Metastore::parse(meta_db, object);  // throws for what is none
  const auto data = parse(meta_db);
  if (!data) throw CorruptError(fmt::format("{} is not a sound metastore", object));
  ServerSettings settings;
  for (const auto& database : data->databases()) {
    for (const auto& query : database.continuousqueries())
      settings.queries.push_back({database.name(), query.name(), query.query()});
    for (const auto& policy : database.retentionpolicies())
      for (const auto& subscription : policy.subscriptions())
        settings.subscriptions.push_back({database.name(), policy.name(), subscription.name()});
  }
  for (const auto& from : data->users()) {
    User user{from.name(), from.admin(), {}};
    for (const auto& grant : from.privileges())
      if (const auto given = privilege(grant.privilege()))
        user.grants.emplace(grant.database(), *given);
    settings.users.push_back(std::move(user));
  }
  return settings;
}

MissingSettings find_missing(const ServerSettings& snapshot, const MetaChoice& choice,
                             const ServerSettings& target) {
  if (choice.filter.shard) return {};
  Search search(choice, target);
  for (const ContinuousQuery& query : snapshot.queries) search.look_for(query);
  for (const User& user : snapshot.users) search.look_for(user);
  for (const Subscription& subscription : snapshot.subscriptions) search.look_for(subscription);
  return search.take();
}

bool asks_for_settings(const MetaChoice& choice) {
  return choice.filter.policy.empty() && !choice.filter.shard && !choice.new_database &&
         !choice.new_policy;
}

std::vector<std::string> describe(const MissingSettings& missing, const MissingReasons& reasons) {
  std::vector<std::string> lines;
  add_line(
      lines, "continuous queries", missing.queries,
      [](const ContinuousQuery& query) {
        return fmt::format("{} of {}", quote(query.name), quote(query.database));
      },
      reasons.queries);
  add_line(
      lines, "users", missing.users, [](const User& user) { return quote(user.name); },
      reasons.users);
  add_line(lines, "grants", missing.grants, describe_grants, reasons.users);
  add_line(
      lines, "subscriptions", missing.subscriptions,
      [](const Subscription& subscription) {
        return fmt::format("{} of {}.{}", quote(subscription.name), quote(subscription.database),
                           quote(subscription.policy));
      },
      reasons.subscriptions);
  return lines;
}

std::string_view privilege_name(Privilege privilege) {
  switch (privilege) {
    case Privilege::kRead:
      return "READ";
    case Privilege::kWrite:
      return "WRITE";
    case Privilege::kAll:
      break;
  }
  return "ALL PRIVILEGES";
}

bool same_metastore(ByteView left, ByteView right) {
  if (std::ranges::equal(left, right)) return true;
  auto left_data = parse(left), right_data = parse(right);
  return left_data && right_data &&
         in_order(std::move(*left_data)) == in_order(std::move(*right_data));
}

}  // namespace tsmfs::snapshot
