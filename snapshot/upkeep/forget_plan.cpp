#include "snapshot/upkeep/forget_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "index/base/error.h"
#include "index/base/quote.h"
#include "snapshot/model/wholeness.h"

namespace tsmfs::snapshot {

namespace {

void require_none_last(const CatalogState& state, const std::vector<SnapshotPtr>& going) {
  const auto last = last_whole_among(state, going);
  if (last.empty()) return;
  const Manifest& one = *last.front().snapshot;
  throw UsageError(
      fmt::format("snapshot {} of {} is the last one that holds database {} of server {} whole; "
                  "nothing was forgotten",
                  one.short_id(), format_rfc3339(one.time), quote(last.front().database),
                  quote(one.server)),
      "--allow-last lets it go");
}

// Snapshots named one by one go, unless they are pinned.
DecidedGroup decide_named(const ForgetRequest& request, const CatalogState& state) {
  DecidedGroup group{"as named", {}};
  for (const SnapshotPtr& snapshot : select_snapshots(state, request.selection)) {
    if (snapshot->is_pinned())
      throw UsageError(
          fmt::format("snapshot {} is pinned; nothing was forgotten", snapshot->short_id()),
          fmt::format("tsmfs tag remove {} {} unpins it", kPinTag, snapshot->short_id()));
    group.decisions.push_back({snapshot, {}, is_whole(*snapshot)});
  }
  if (!request.allow_last) require_none_last(state, going_of({group}));
  return group;
}

// Whole snapshots that nothing could take the place of stay, whatever the policy says.
void keep_last_whole(const CatalogState& state, std::vector<DecidedGroup>& groups) {
  for (const auto& last : last_whole_among(state, going_of(groups)))
    for (DecidedGroup& group : groups)
      for (Decision& decision : group.decisions)
        if (decision.snapshot->id == last.snapshot->id)
          decision.reasons.push_back("last whole of " + last.database);
}

std::vector<DecidedGroup> decide_by_policy(const ForgetRequest& request,
                                           const CatalogState& state) {
  const auto concerned = select_snapshots(state, request.selection);
  std::vector<DecidedGroup> groups;
  for (const SnapshotGroup& one : group(concerned, Grouping::parse(request.group_by))) {
    DecidedGroup decided{one.name, decide(one.snapshots, request.policy)};
    if (std::ranges::none_of(decided.decisions, &Decision::keeps) && !request.allow_remove_all)
      throw UsageError(
          fmt::format("this policy keeps no snapshot of {}; nothing was forgotten", one.name),
          "add --keep-last 1, or allow it with --unsafe-allow-remove-all");
    groups.push_back(std::move(decided));
  }
  if (!request.allow_remove_all) keep_last_whole(state, groups);
  return groups;
}

}  // namespace

std::vector<SnapshotPtr> going_of(const std::vector<DecidedGroup>& groups) {
  std::vector<SnapshotPtr> going;
  for (const DecidedGroup& group : groups)
    for (const Decision& decision : group.decisions)
      if (!decision.keeps()) going.push_back(decision.snapshot);
  return going;
}

std::vector<DecidedGroup> plan_forget(const ForgetRequest& request, const CatalogState& state) {
  if (!request.selection.names.empty() && !request.policy.is_empty())
    throw UsageError("snapshots by name and --keep rules do not go together");
  if (request.allow_last && request.selection.names.empty())
    throw UsageError("--allow-last goes with snapshots by name",
                     "a policy keeps the last whole snapshot of each database");
  if (request.allow_remove_all && !request.selection.names.empty())
    throw UsageError("--unsafe-allow-remove-all is for a policy",
                     "by name, --allow-last lets the last whole snapshot go");
  if (request.group_by != kGroupByDefault && !request.selection.names.empty())
    throw UsageError("--group-by is for a policy", "leave it out with snapshots by name");
  if (!request.selection.names.empty()) return {decide_named(request, state)};
  if (request.policy.is_empty())
    throw UsageError("forget needs --keep rules, or snapshots to forget",
                     "see tsmfs forget --help");
  return decide_by_policy(request, state);
}

}  // namespace tsmfs::snapshot
