#include "snapshot/upkeep/copy_snapshots.h"

#include <algorithm>

#include "index/base/error.h"
#include "index/repository/open_or_create.h"
#include "snapshot/upkeep/copier.h"

namespace tsmfs::snapshot {

namespace {

CopiedSnapshot heal_copy(const SnapshotPtr& original, const SnapshotPtr& there, Copier& copier) {
  std::vector<std::string> lost = copier.heal(*original, *there);
  const auto outcome = lost.empty() ? CopyOutcome::kHealed : CopyOutcome::kStillLossy;
  return {original, there, outcome, std::move(lost)};
}

CopiedSnapshot copy_one(const SnapshotPtr& original, Copier& copier) {
  try {
    return {original, copier.copy(*original), CopyOutcome::kCopied};
  } catch (const CorruptError& error) {
    return {original, nullptr, CopyOutcome::kUnreadable, {error.what()}};
  }
}

// Copies what is missing, and gives copies that are there what they lost.
void copy_all(const std::vector<SnapshotPtr>& originals, Copier& copier, const CopyRequest& request,
              CopyReport& report) {
  const auto note = [&](CopiedSnapshot done) {
    request.on_snapshot(done);
    report.done.push_back(std::move(done));
  };
  SnapshotPtr last, last_copy;  // the newest pair that is not learned yet
  for (const SnapshotPtr& one : originals) {
    if (const SnapshotPtr there = copier.find_copy(*one)) {
      ++report.there;
      if (!copier.is_whole(*there)) note(heal_copy(one, there, copier));
      last = one;
      last_copy = there;
      continue;
    }
    if (last) copier.learn(*last, *last_copy);
    last.reset();
    note(copy_one(one, copier));
  }
}

}  // namespace

size_t CopyReport::count(CopyOutcome outcome) const {
  return static_cast<size_t>(
      std::ranges::count(done, outcome, [](const CopiedSnapshot& one) { return one.outcome; }));
}

size_t CopyReport::failed() const {
  return count(CopyOutcome::kStillLossy) + count(CopyOutcome::kUnreadable);
}

CopyReport copy_snapshots(index::Repository& source, const CopyRequest& request,
                          const std::stop_token& stop) {
  CopyReport report;
  report.source = Catalog(source.storage()).refresh();
  // Oldest first, so that parents come before their children.
  const auto originals = select_snapshots(*report.source, request.selection);
  const auto target = index::open_or_create(request.target, request.on_created);
  if (target->config().id == source.config().id)
    throw UsageError("--from and --to are one repository, or one is a plain copy of the other");
  index::RepositoryWriter writer(*target, request.writer);
  Catalog catalog(target->storage());
  catalog.refresh();
  Copier copier(source, *target, writer, catalog, stop);
  copy_all(originals, copier, request, report);
  return report;
}

}  // namespace tsmfs::snapshot
