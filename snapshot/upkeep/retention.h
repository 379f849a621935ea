// Which snapshots a policy keeps: pure functions over manifests, no clock.
//
// The rules are restic's. Hours, days, weeks (ISO 8601, from Monday), months and years are those of
// UTC.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/calendar_span.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::snapshot {

// Each rule keeps some; a snapshot stays when a rule keeps it. A lesser snapshot never takes the
// place of a whole one: rules choose among the whole ones as if the others were not there, and
// after that, of their own number, those lesser ones whose hour, day, … has no whole one.
struct RetentionPolicy {
  size_t last = 0;  // the newest n
  size_t hourly = 0, daily = 0, weekly = 0, monthly = 0,
         yearly = 0;                   // the newest of each of n hours, …
  std::optional<CalendarSpan> within;  // back from the newest snapshot, not from the clock
  std::vector<std::string> tags;       // with one of these
  bool is_empty() const;
};

struct Decision {
  SnapshotPtr snapshot;
  std::vector<std::string> reasons;  // "daily", "pinned"; empty: it goes
  bool whole = true;
  bool keeps() const { return !reasons.empty(); }
};

// Newest first. Pinned snapshots stay, and count for the rules as any other. Whole are those that
// are neither incomplete nor partial, and of the widest selection that is whole here: everything,
// whole databases, a part of one, the metastore only.
std::vector<Decision> decide(std::vector<SnapshotPtr> snapshots, const RetentionPolicy& policy);

// What `--group-by` says: a policy is applied to each group of its own.
struct Grouping {
  bool host = true;
  bool database = true;
  // "host", "database", "host,database", or empty for one group. Throws: UsageError.
  static Grouping parse(std::string_view text);
};
struct SnapshotGroup {
  std::string name;  // "host db1, database telegraf"; for a person
  std::vector<SnapshotPtr> snapshots;
};
// By the server's name, and by what was asked for (not what was there): databases, policy, shard,
// time range.
std::vector<SnapshotGroup> group(const std::vector<SnapshotPtr>& snapshots, Grouping grouping);

}  // namespace tsmfs::snapshot
