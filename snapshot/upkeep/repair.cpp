#include "snapshot/upkeep/repair.h"

#include <fmt/format.h>

#include <utility>

#include "index/base/error.h"
#include "index/format/object_keys.h"
#include "snapshot/model/amendment.h"
#include "snapshot/model/catalog.h"
#include "snapshot/upkeep/reachable.h"

namespace tsmfs::snapshot {

namespace {

// A manifest or an amendment.
struct DamagedObject {
  std::string key;
  const char* quarantine;  // folder
  std::string what;
};

std::vector<DamagedObject> find_damaged_manifests(const index::Storage& storage) {
  std::vector<DamagedObject> damaged;
  for (const std::string& key : storage.list(index::kSnapshotsFolder)) {
    try {
      read_snapshot(storage, key);
    } catch (const CorruptError& error) {
      damaged.push_back({key, index::kQuarantinedSnapshotsFolder, error.what()});
    }
  }
  return damaged;
}

std::vector<DamagedObject> find_damaged_amendments(const index::Storage& storage) {
  std::vector<DamagedObject> damaged;
  for (const std::string& key : storage.list(index::kAmendmentsFolder)) {
    try {
      read_amendment(storage, key);
    } catch (const CorruptError& error) {
      damaged.push_back({key, index::kQuarantinedAmendmentsFolder, error.what()});
    }
  }
  return damaged;
}

void quarantine_objects(index::Storage& storage, const std::vector<DamagedObject>& damaged) {
  for (const DamagedObject& object : damaged)
    storage.move(object.key,
                 fmt::format("{}/{}", object.quarantine, index::name_in_key(object.key)));
}

// Puts on the record that they are pinned, before their damaged amendments go.
void keep_doubtful(index::Storage& storage) {
  Catalog catalog(storage);
  const auto state = catalog.refresh();
  for (const SnapshotPtr& snapshot : state->doubtful) catalog.amend(*snapshot);
}

// What no snapshot needs is no loss: a prune that was ended early leaves recipes without their
// packs.
void count_losses(index::Repository& repository, const std::stop_token& stop,
                  RepairReport& report) {
  Catalog catalog(repository.storage());
  Reachable needed = find_reachable(repository.objects(), *catalog.refresh(), stop);
  report.unreadable = std::move(needed.unreadable);
  for (const index::FileId& id : needed.files) {
    const auto place = repository.lookup().find_file(id);
    if (!place || place->lossy) ++report.lossy_files;
  }
}

}  // namespace

RepairReport repair_repository(index::Repository& repository, const RepairOptions& options,
                               const std::stop_token& stop) {
  const auto say = [&](const std::string& step) {
    if (options.on_step) options.on_step(step);
  };
  repository.require_writer();
  RepairReport report;
  const auto manifests = find_damaged_manifests(repository.storage());
  for (const DamagedObject& manifest : manifests) report.manifests.push_back(manifest.what);
  const auto amendments = find_damaged_amendments(repository.storage());
  for (const DamagedObject& amendment : amendments) report.amendments.push_back(amendment.what);
  say("reading every pack");
  report.packs = index::find_damaged_packs(repository, stop);
  if (options.dry_run) {
    index::assess(repository, report.packs, stop);
    count_losses(repository, stop, report);
    return report;
  }
  quarantine_objects(repository.storage(), manifests);
  if (!amendments.empty()) keep_doubtful(repository.storage());
  quarantine_objects(repository.storage(), amendments);
  if (!report.packs.empty())
    say(fmt::format("saving what is good in {} damaged packs", report.packs.size()));
  index::quarantine(repository, report.packs, options.compression, stop);
  report.healed = index::heal_recipes(repository, options.compression, stop);
  count_losses(repository, stop, report);
  return report;
}

}  // namespace tsmfs::snapshot
