#include "snapshot/import/take_in.h"

#include <utility>

#include "index/repository/open_or_create.h"

namespace tsmfs::snapshot {

namespace {

// `import` says whether all is complete.
template <typename Import>
TakenIn take_in_with(TakeInRequest& request, const Import& import) {
  const auto repository = index::open_or_create(request.repository, request.on_created);
  index::RepositoryWriter writer(*repository, request.writer);
  Catalog catalog(repository->storage());
  ImportTarget target{*repository, writer, catalog};
  TakenIn result;
  request.import.on_snapshot =
      [&result, tell = std::move(request.import.on_snapshot)](const ImportReport& report) {
        result.time_taken |= report.time_taken;
        tell(report);
      };
  result.complete = import(request.import, target);
  return result;
}

}  // namespace

TakenIn take_in(const DataDir& found, TakeInRequest request, const std::stop_token& stop) {
  return take_in_with(request, [&](const ImportOptions& options, ImportTarget& target) {
    return import_data_dir(found, options, target, stop);
  });
}

TakenIn take_in(const std::vector<BackupDir>& found, TakeInRequest request,
                const std::stop_token& stop) {
  return take_in_with(request, [&](const ImportOptions& options, ImportTarget& target) {
    return import_backup_dirs(found, options, target, stop);
  });
}

}  // namespace tsmfs::snapshot
