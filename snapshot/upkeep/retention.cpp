#include "snapshot/upkeep/retention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "index/base/error.h"
#include "index/base/sys_time.h"
#include "snapshot/model/wholeness.h"

namespace tsmfs::snapshot {

namespace {

namespace chrono = std::chrono;

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

// Keeps the newest snapshot of each of the newest `count` periods.
struct PeriodRule {
  const char* name;
  size_t count;
  std::function<int64_t(size_t)> period_of;  // of the i-th newest

  void apply(std::vector<Decision>& decisions) const;
};

// Lesser snapshots are chosen in a second round: from periods without a whole one, and not from
// before the oldest period that the rule keeps whole.
void PeriodRule::apply(std::vector<Decision>& decisions) const {
  std::set<int64_t> with_whole, kept;
  std::optional<size_t> end;  // behind the oldest whole one that is kept, when all `count` are
  for (size_t i = 0; i < decisions.size(); ++i) {
    const int64_t period = period_of(i);
    if (!decisions[i].whole || !with_whole.insert(period).second || kept.size() == count) continue;
    kept.insert(period);
    decisions[i].reasons.emplace_back(name);
    if (kept.size() == count) end = i;
  }
  kept.clear();
  for (size_t i = 0; i < end.value_or(decisions.size()) && kept.size() < count; ++i) {
    const int64_t period = period_of(i);
    if (decisions[i].whole || with_whole.contains(period) || !kept.insert(period).second) continue;
    decisions[i].reasons.emplace_back(name);
  }
}

// How much of a server is asked for: the metastore, a part of some databases, some databases, all.
// Where snapshots of different selections are in one group, a narrower one is a lesser one.
int width_of(const Filter& filter) {
  if (filter.metastore_only) return 0;
  if (filter.is_everything()) return 3;
  Filter rest = filter;
  rest.databases.clear();
  return rest.is_everything() ? 2 : 1;
}

std::vector<Decision> newest_first(std::vector<SnapshotPtr> snapshots) {
  std::ranges::sort(snapshots, [](const SnapshotPtr& a, const SnapshotPtr& b) {
    return std::pair(a->time, a->number) > std::pair(b->time, b->number);
  });
  int widest = 0;
  for (const SnapshotPtr& snapshot : snapshots)
    if (is_whole(*snapshot)) widest = std::max(widest, width_of(snapshot->filter));
  std::vector<Decision> decisions;
  for (SnapshotPtr& snapshot : snapshots) {
    const bool whole = is_whole(*snapshot) && width_of(snapshot->filter) == widest;
    decisions.push_back({std::move(snapshot), {}, whole});
  }
  return decisions;
}

// A span counts back from the newest snapshot, for whole ones from the newest whole one.
void keep_within(const CalendarSpan& span, std::vector<Decision>& decisions) {
  const auto newest_whole = std::ranges::find_if(decisions, &Decision::whole);
  for (Decision& decision : decisions) {
    const Decision& newest = decision.whole ? *newest_whole : decisions.front();
    if (decision.snapshot->time >= span.before(newest.snapshot->time))
      decision.reasons.emplace_back("within");
  }
}

std::string group_name(const Manifest& snapshot, Grouping grouping) {
  std::string name;
  if (grouping.host) name = "host " + snapshot.server;
  if (!grouping.database) return name;
  auto databases = snapshot.filter.databases;
  std::ranges::sort(databases);
  if (!name.empty()) name += ", ";
  if (snapshot.filter.metastore_only) return name + "metastore only";
  name +=
      databases.empty() ? "all databases" : fmt::format("database {}", fmt::join(databases, ", "));
  Filter rest = snapshot.filter;
  rest.databases.clear();
  return rest.is_everything() ? name : name + ", " + rest.text();
}

}  // namespace

bool RetentionPolicy::is_empty() const {
  return last + hourly + daily + weekly + monthly + yearly == 0 && !within && tags.empty();
}

std::vector<Decision> decide(std::vector<SnapshotPtr> snapshots, const RetentionPolicy& policy) {
  std::vector<Decision> decisions = newest_first(std::move(snapshots));
  for (Decision& decision : decisions)
    if (decision.snapshot->is_pinned()) decision.reasons.emplace_back("pinned");
  const auto by_time = [&](int64_t (*period_of)(Timestamp)) {
    return [&decisions, period_of](size_t i) { return period_of(decisions[i].snapshot->time); };
  };
  const std::array<PeriodRule, 6> rules = {
      {{"last", policy.last, [](size_t i) { return static_cast<int64_t>(i); }},
       {"hourly", policy.hourly, by_time(hour_of)},
       {"daily", policy.daily, by_time(day_of)},
       {"weekly", policy.weekly, by_time(week_of)},
       {"monthly", policy.monthly, by_time(month_of)},
       {"yearly", policy.yearly, by_time(year_of)}}};
  for (const PeriodRule& rule : rules) rule.apply(decisions);
  if (policy.within) keep_within(*policy.within, decisions);
  for (Decision& decision : decisions)
    for (const std::string& tag : policy.tags)
      if (decision.snapshot->has_tag(tag)) decision.reasons.push_back("tag " + tag);
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
  groups.reserve(by_name.size());
  for (auto& [name, members] : by_name) groups.push_back({name, std::move(members)});
  return groups;
}

}  // namespace tsmfs::snapshot
