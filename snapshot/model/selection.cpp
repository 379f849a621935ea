#include "snapshot/model/selection.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

using Snapshots = std::vector<SnapshotPtr>;

// " of server 'db1' with tag 'keep'"
std::string filter_text(const Selection& selection) {
  std::string text;
  if (!selection.host.empty()) text += " of server " + quote(selection.host);
  if (!selection.tag.empty()) text += " with tag " + quote(selection.tag);
  return text;
}

SnapshotPtr find_selected(const Snapshots& all, const Snapshots& let_through,
                          const Selection& selection, const std::string& name) {
  try {
    return find_snapshot(let_through, name);
  } catch (const UsageError&) {
    if (filter_text(selection).empty()) throw;
  }
  // The name alone may say more of what is wrong.
  const SnapshotPtr excluded = find_snapshot(all, name);
  throw UsageError(
      fmt::format("snapshot {} of {}, server {}, is none{}; nothing was done", name,
                  format_rfc3339(excluded->time), quote(excluded->server), filter_text(selection)),
      "leave out --host and --tag, or the snapshot");
}

}  // namespace

std::string empty_selection(const Snapshots& let_through, const Selection& selection) {
  const std::string filters = filter_text(selection);
  if (filters.empty() || !let_through.empty()) return {};
  return "there is no snapshot" + filters;
}

Snapshots select_snapshots(const CatalogState& state, const Selection& selection) {
  Snapshots chosen = choose_snapshots(state, selection.host, selection.tag);
  if (const std::string wrong = empty_selection(chosen, selection); !wrong.empty())
    throw UsageError(wrong, "tsmfs snapshots lists servers and tags");
  if (selection.names.empty()) return chosen;
  Snapshots named;
  for (const std::string& name : selection.names)
    named.push_back(find_selected(state.snapshots, chosen, selection, name));
  std::erase_if(
      chosen, [&](const SnapshotPtr& one) { return std::ranges::find(named, one) == named.end(); });
  return chosen;
}

}  // namespace tsmfs::snapshot
