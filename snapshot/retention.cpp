#include "snapshot/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <limits>
#include <map>

#include "index/base/error.h"

namespace tsmfs::snapshot {

namespace {

namespace chrono = std::chrono;

using SysTime = chrono::sys_time<chrono::nanoseconds>;

SysTime to_sys(Timestamp time) {
  return SysTime(chrono::nanoseconds(time.unix_ns));
}

int64_t hour_of(Timestamp time) {
  return chrono::floor<chrono::hours>(to_sys(time)).time_since_epoch().count();
}
int64_t day_of(Timestamp time) {
  return chrono::floor<chrono::days>(to_sys(time)).time_since_epoch().count();
}
// 1970-01-01 was a Thursday.
int64_t week_of(Timestamp time) {
  const int64_t day = day_of(time) + 3;
  return day >= 0 ? day / 7 : (day - 6) / 7;
}
int64_t year_of(Timestamp time) {
  return int{chrono::year_month_day(chrono::floor<chrono::days>(to_sys(time))).year()};
}
int64_t month_of(Timestamp time) {
  const chrono::year_month_day day(chrono::floor<chrono::days>(to_sys(time)));
  return int{day.year()} * int64_t{12} + unsigned{day.month()};
}

// Keeps the newest snapshot of each of the newest `left` periods.
struct PeriodRule {
  const char* name;
  size_t left;
  int64_t (*period_of)(Timestamp);
  int64_t last = std::numeric_limits<int64_t>::min();

  bool keeps(Timestamp time) {
    const int64_t period = period_of(time);
    if (left == 0 || period == last) return false;
    last = period;
    --left;
    return true;
  }
};

std::string group_name(const Manifest& snapshot, Grouping grouping) {
  std::string name;
  if (grouping.host) name = "host " + snapshot.server;
  if (!grouping.database) return name;
  auto databases = snapshot.filter.databases;
  std::ranges::sort(databases);
  if (!name.empty()) name += ", ";
  if (snapshot.filter.metastore_only) return name + "metastore only";
  return name + (databases.empty() ? "all databases"
                                   : fmt::format("database {}", fmt::join(databases, ", ")));
}

}  // namespace

bool RetentionPolicy::is_empty() const {
  return last + hourly + daily + weekly + monthly + yearly == 0 && !within && tags.empty();
}

std::vector<Decision> decide(std::vector<SnapshotPtr> snapshots, const RetentionPolicy& policy) {
  std::ranges::sort(snapshots, [](const SnapshotPtr& a, const SnapshotPtr& b) {
    return std::pair(a->time, a->number) > std::pair(b->time, b->number);
  });
  std::array<PeriodRule, 5> rules = {{{"hourly", policy.hourly, hour_of},
                                      {"daily", policy.daily, day_of},
                                      {"weekly", policy.weekly, week_of},
                                      {"monthly", policy.monthly, month_of},
                                      {"yearly", policy.yearly, year_of}}};
  std::vector<Decision> decisions;
  for (size_t i = 0; i < snapshots.size(); ++i) {
    const SnapshotPtr& snapshot = snapshots[i];
    std::vector<std::string> reasons;
    if (snapshot->is_pinned()) reasons.emplace_back("pinned");
    if (i < policy.last) reasons.emplace_back("last");
    for (PeriodRule& rule : rules)
      if (rule.keeps(snapshot->time)) reasons.emplace_back(rule.name);
    if (policy.within && snapshot->time >= policy.within->before(snapshots.front()->time))
      reasons.emplace_back("within");
    for (const std::string& tag : policy.tags)
      if (snapshot->has_tag(tag)) reasons.push_back("tag " + tag);
    decisions.push_back({snapshot, std::move(reasons)});
  }
  return decisions;
}

Grouping Grouping::parse(std::string_view text) {
  Grouping grouping{false, false};
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    if (word == "host")
      grouping.host = true;
    else if (word == "database")
      grouping.database = true;
    else
      throw UsageError(fmt::format("snapshots cannot be grouped by '{}'", word),
                       "give host, database, both with a comma between, or nothing");
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return grouping;
}

std::vector<SnapshotGroup> group(const std::vector<SnapshotPtr>& snapshots, Grouping grouping) {
  std::map<std::string, std::vector<SnapshotPtr>> by_name;
  for (const SnapshotPtr& snapshot : snapshots)
    by_name[group_name(*snapshot, grouping)].push_back(snapshot);
  std::vector<SnapshotGroup> groups;
  for (auto& [name, members] : by_name) groups.push_back({name, std::move(members)});
  return groups;
}

}  // namespace tsmfs::snapshot
