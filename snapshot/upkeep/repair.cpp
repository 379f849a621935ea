#include "snapshot/upkeep/repair.h"

#include <fmt/format.h>

#include <utility>

#include "index/base/damage.h"
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

// Of a folder, those that `read` finds damaged, or in a bad sector.
std::vector<DamagedObject> find_damaged(const index::Storage& storage, const char* folder,
                                        const char* quarantine, const auto& read) {
  std::vector<DamagedObject> damaged;
  for (const std::string& key : storage.list(folder)) {
    const auto damage = find_damage([&] { read(storage, key); });
    if (!damage) continue;
    refuse_newer(*damage);
    damaged.push_back({key, quarantine, damage->what});
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
  std::vector<Manifest> pinned;
  for (const SnapshotPtr& snapshot : state->doubtful) pinned.push_back(*snapshot);
  catalog.amend(pinned);
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
  const index::Storage& storage = repository.storage();
  const auto manifests = find_damaged(storage, index::kSnapshotsFolder,
                                      index::kQuarantinedSnapshotsFolder, read_snapshot);
  for (const DamagedObject& manifest : manifests) report.manifests.push_back(manifest.what);
  const auto amendments = find_damaged(storage, index::kAmendmentsFolder,
                                       index::kQuarantinedAmendmentsFolder, read_amendment);
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
