// Which snapshots a forget takes, and why the others stay. Pure but for the catalog's state:
// nothing is removed here.
#pragma once

#include <string>
#include <vector>

#include "snapshot/model/catalog.h"
#include "snapshot/model/selection.h"
#include "snapshot/upkeep/retention.h"

namespace tsmfs::snapshot {

inline constexpr const char* kGroupByDefault = "host,database";

struct ForgetRequest {
  Selection selection;     // with names, those go; else the policy decides
  RetentionPolicy policy;  // for each group
  std::string group_by = kGroupByDefault;
  bool allow_remove_all = false;  // of a group, by the policy; also the last whole ones
  bool allow_last = false;        // by name: also the last whole one of a database
};

struct DecidedGroup {
  std::string name;                 // for a person
  std::vector<Decision> decisions;  // newest first
};

// Throws: UsageError when the request contradicts itself, names what is pinned, or would take what
// it does not allow to go.
std::vector<DecidedGroup> plan_forget(const ForgetRequest& request, const CatalogState& state);

// What goes by the plan.
std::vector<SnapshotPtr> going_of(const std::vector<DecidedGroup>& groups);

}  // namespace tsmfs::snapshot
