#include "snapshot/model/snapshot_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "index/base/error.h"
#include "index/base/point_in_time.h"
#include "index/base/quote.h"
#include "snapshot/model/tree_walk.h"
#include "snapshot/model/wholeness.h"

namespace tsmfs::snapshot {

namespace {

using Snapshots = std::vector<SnapshotPtr>;  // oldest first

std::string describe(const Manifest& snapshot) {
  return fmt::format("snapshot {} of {}", snapshot.short_id(), format_rfc3339(snapshot.time));
}

// Of one server, the newest that holds all that is asked, or a part of it.
struct Best {
  SnapshotPtr whole, part;
  const SnapshotPtr& any() const { return whole ? whole : part; }
};

class Choice {
 public:
  Choice(const SnapshotWish& wish, index::ObjectReader& objects) : wish_(wish), objects_(objects) {}
  ChosenSnapshot named(const SnapshotPtr& snapshot) const;
  ChosenSnapshot newest(const Snapshots& candidates) const;

 private:
  bool holds(const Manifest& snapshot) const;
  std::string lack_of(const Manifest& snapshot) const;
  Best best_of(const Snapshots& candidates) const;
  ChosenSnapshot with_notes(const Best& best, const Snapshots& candidates) const;

  const SnapshotWish& wish_;
  index::ObjectReader& objects_;
};

// Whether it holds anything of what is asked; a policy or shard shows in the tree only.
bool Choice::holds(const Manifest& snapshot) const {
  if (!wish_.data) return true;
  const Filter& asked = wish_.asked;
  if (snapshot.filter.metastore_only) return false;
  const auto has = [&](const std::string& name) {
    return snapshot.filter.takes_database(name) && std::ranges::count(snapshot.databases, name) > 0;
  };
  if (!asked.databases.empty() && std::ranges::none_of(asked.databases, has)) return false;
  if (asked.policy.empty() && !asked.shard) return true;
  const auto entries = shard_entries(objects_, snapshot.data);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto& entry) { return asked.takes(entry.first); });
}

std::string Choice::lack_of(const Manifest& snapshot) const {
  if (!wish_.data) return {};
  const std::string text = lacks_text(snapshot, wish_.asked);
  return text.empty() && !holds(snapshot) ? "does not hold what is asked for" : text;
}

ChosenSnapshot Choice::named(const SnapshotPtr& snapshot) const {
  ChosenSnapshot chosen{snapshot};
  if (const std::string lack = lack_of(*snapshot); !lack.empty())
    chosen.notes.push_back(describe(*snapshot) + " " + lack);
  return chosen;
}

Best Choice::best_of(const Snapshots& candidates) const {
  Best best;
  for (auto it = candidates.rbegin(); it != candidates.rend(); ++it) {
    const SnapshotPtr& snapshot = *it;
    const bool whole = !wish_.data || lacks(*snapshot, wish_.asked).empty();
    if ((best.part && !whole) || !holds(*snapshot)) continue;
    if (!best.part) best.part = snapshot;
    if (!whole) continue;
    best.whole = snapshot;
    break;
  }
  return best;
}

ChosenSnapshot Choice::with_notes(const Best& best, const Snapshots& candidates) const {
  ChosenSnapshot chosen{best.any()};
  const Manifest& newest = *candidates.back();
  const std::string lack = best.whole ? lack_of(newest) : lack_of(*chosen.snapshot);
  if (best.whole && best.whole->id != newest.id)
    chosen.notes.push_back(fmt::format("{} is taken: the newest, {}, {}; --snapshot {} takes it",
                                       describe(*chosen.snapshot), describe(newest), lack,
                                       newest.short_id()));
  else if (!best.whole)
    chosen.notes.push_back(
        fmt::format("{} {}, and no other holds all of it", describe(*chosen.snapshot), lack));
  return chosen;
}

ChosenSnapshot Choice::newest(const Snapshots& candidates) const {
  std::map<std::string, Snapshots> by_server;
  for (const SnapshotPtr& snapshot : candidates) by_server[snapshot->server].push_back(snapshot);
  std::map<std::string, Best> having;
  for (const auto& [server, snapshots] : by_server)
    if (const Best best = best_of(snapshots); best.any()) having.emplace(server, best);
  if (having.empty()) return {candidates.back()};
  if (having.size() == 1) {
    const auto& [server, best] = *having.begin();
    return with_notes(best, by_server.at(server));
  }
  std::vector<std::string> names;
  names.reserve(having.size());
  for (const auto& [server, best] : having) names.push_back(quote(server));
  const std::string what = wish_.asked.is_everything() ? "" : " that hold " + wish_.asked.text();
  throw UsageError(fmt::format("there are snapshots{} of {} servers", what, names.size()),
                   fmt::format("name one with --server: {}", fmt::join(names, ", ")));
}

// Those that are named so: one by its id, or all of that time.
Snapshots named_so(const Snapshots& candidates, std::string_view text) {
  Snapshots by_time, by_id;
  for (const SnapshotPtr& snapshot : candidates) {
    if (is_id_of(text, *snapshot)) by_id.push_back(snapshot);
    if (format_rfc3339(snapshot->time) == text) by_time.push_back(snapshot);
  }
  if (by_id.size() > 1)
    throw UsageError(fmt::format("'{}' means {} snapshots", text, by_id.size()),
                     "name one by more digits of its id");
  return by_id.empty() ? by_time : by_id;
}

Snapshots until(const Snapshots& candidates, std::string_view text, Timestamp now) {
  if (text == "latest") return candidates;
  const auto time = parse_point_in_time(text, now);
  if (!time)
    throw UsageError(fmt::format("there is no snapshot '{}'", text),
                     "tsmfs snapshots lists their ids; a time is 2026-11-24, '2026-11-24 03:00' "
                     "(UTC), 2026-11-24T03:00:00Z or 2h-ago");
  const auto later = std::ranges::upper_bound(candidates, *time, {}, &Manifest::time);
  if (later == candidates.begin())
    throw UsageError(fmt::format("no snapshot is of {} or earlier", format_rfc3339(*time)),
                     "tsmfs snapshots lists them");
  return {candidates.begin(), later};
}

// An id that names a snapshot of another server is no time either.
void refuse_other_server(const CatalogState& state, const SnapshotWish& wish) {
  for (const SnapshotPtr& snapshot : state.snapshots)
    if (is_id_of(wish.which, *snapshot))
      throw UsageError(fmt::format("{} is of server {}, not of {}", describe(*snapshot),
                                   quote(snapshot->server), quote(wish.server)),
                       "leave out --server, or name a snapshot of that server");
}

}  // namespace

ChosenSnapshot choose_snapshot(const CatalogState& state, const SnapshotWish& wish,
                               index::ObjectReader& objects, Timestamp now) {
  const Snapshots candidates = choose_snapshots(state, wish.server, "");
  if (candidates.empty() && !wish.server.empty() && !state.snapshots.empty())
    throw UsageError(fmt::format("there is no snapshot of server {}", quote(wish.server)),
                     "tsmfs snapshots lists them");
  if (candidates.empty())
    throw UsageError(fmt::format("there is no snapshot '{}'", wish.which),
                     "tsmfs snapshots lists them");
  const Choice choice(wish, objects);
  const Snapshots named = named_so(candidates, wish.which);
  if (named.empty() && !wish.server.empty()) refuse_other_server(state, wish);
  ChosenSnapshot chosen =
      named.size() == 1 ? choice.named(named.front())
                        : choice.newest(named.empty() ? until(candidates, wish.which, now) : named);
  chosen.incomplete = wish.data && misses(*chosen.snapshot, wish.asked);
  // Who names a snapshot wants what it has; who does not wants data.
  const bool by_id = is_id_of(wish.which, *chosen.snapshot);
  const bool lesser = chosen.snapshot->partial || chosen.snapshot->filter.metastore_only;
  chosen.incomplete |= wish.data && !by_id && lesser;
  chosen.unsure = named.empty() && !state.damaged.empty();
  for (const std::string& damaged : state.damaged)
    chosen.notes.push_back(damaged + (chosen.unsure ? "; it may be the one that is meant" : ""));
  chosen.notes.insert(chosen.notes.end(), state.doubts.begin(), state.doubts.end());
  return chosen;
}

}  // namespace tsmfs::snapshot
