#include "snapshot/upkeep/tag_snapshots.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/quote.h"

namespace tsmfs::snapshot {

namespace {

std::vector<SnapshotPtr> find_snapshots(const CatalogState& state,
                                        const std::vector<std::string>& names) {
  std::vector<SnapshotPtr> found;
  for (const std::string& name : names) {
    const auto one = find_snapshot(state, name);
    if (std::ranges::find(found, one) == found.end()) found.push_back(one);
  }
  return found;
}

void require_tagged(const std::vector<SnapshotPtr>& snapshots, const TagRequest& request) {
  if (std::ranges::any_of(snapshots, [&](const auto& one) { return one->has_tag(request.tag); }))
    return;
  throw UsageError(fmt::format("{} the tag {}",
                               snapshots.size() == 1
                                   ? fmt::format("snapshot {} does not have", request.snapshots[0])
                                   : fmt::format("none of the {} snapshots has", snapshots.size()),
                               quote(request.tag)),
                   "tsmfs snapshots lists tags");
}

Manifest changed(const Manifest& snapshot, const TagRequest& request) {
  Manifest manifest = snapshot;
  if (request.change == TagChange::kRemove)
    std::erase(manifest.tags, request.tag);
  else
    manifest.tags.push_back(request.tag);
  manifest.tags = checked_tags(std::move(manifest.tags));
  return manifest;
}

}  // namespace

TagReport tag_snapshots(Catalog& catalog, const CatalogState& state, const TagRequest& request) {
  checked_tags({request.tag});
  const std::vector<SnapshotPtr> chosen = find_snapshots(state, request.snapshots);
  if (request.change == TagChange::kRemove) require_tagged(chosen, request);
  TagReport report;
  std::vector<Manifest> amended;
  for (const SnapshotPtr& one : chosen) {
    if (one->has_tag(request.tag) == (request.change == TagChange::kAdd))
      report.unchanged.push_back(one);
    else
      amended.push_back(changed(*one, request));
  }
  report.amended = catalog.amend(amended);
  return report;
}

SnapshotPtr accept_missing_shard(Catalog& catalog, const CatalogState& state,
                                 const AcceptRequest& request) {
  Manifest manifest = *find_snapshot(state, request.snapshot);
  if (!accept_missing(manifest, request.shard))
    throw UsageError(fmt::format("snapshot {} misses no shard {}, or that is accepted already",
                                 manifest.short_id(), request.shard),
                     "tsmfs snapshots says what is missing");
  return catalog.amend(manifest);
}

}  // namespace tsmfs::snapshot
