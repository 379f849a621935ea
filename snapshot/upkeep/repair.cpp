#include "snapshot/upkeep/repair.h"

#include <fmt/format.h>

#include <utility>

#include "index/base/error.h"
#include "index/format/object_keys.h"
#include "snapshot/model/catalog.h"
#include "snapshot/upkeep/reachable.h"

namespace tsmfs::snapshot {

namespace {

struct DamagedManifest {
  std::string key;
  std::string what;
};

std::vector<DamagedManifest> find_damaged_manifests(const index::Storage& storage) {
  std::vector<DamagedManifest> damaged;
  for (const std::string& key : storage.list(index::kSnapshotsFolder)) {
    try {
      read_snapshot(storage, key);
    } catch (const CorruptError& error) {
      damaged.push_back({key, error.what()});
    }
  }
  return damaged;
}

void quarantine_manifests(index::Storage& storage, const std::vector<DamagedManifest>& damaged) {
  for (const DamagedManifest& manifest : damaged)
    storage.move(manifest.key, fmt::format("{}/{}", index::kQuarantinedSnapshotsFolder,
                                           index::name_in_key(manifest.key)));
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
                               std::stop_token stop) {
  const auto say = [&](const std::string& step) {
    if (options.on_step) options.on_step(step);
  };
  RepairReport report;
  const auto manifests = find_damaged_manifests(repository.storage());
  for (const DamagedManifest& manifest : manifests) report.manifests.push_back(manifest.what);
  say("reading every pack");
  report.packs = index::find_damaged_packs(repository, stop);
  if (options.dry_run) {
    index::assess(repository, report.packs, stop);
    count_losses(repository, stop, report);
    return report;
  }
  quarantine_manifests(repository.storage(), manifests);
  if (!report.packs.empty())
    say(fmt::format("saving what is good in {} damaged packs", report.packs.size()));
  index::quarantine(repository, report.packs, options.compression, stop);
  report.healed = index::heal_recipes(repository, options.compression, stop);
  count_losses(repository, stop, report);
  return report;
}

}  // namespace tsmfs::snapshot
