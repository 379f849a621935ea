#include "snapshot/export/export_snapshot.h"

#include "snapshot/model/stored_shards.h"

namespace tsmfs::snapshot {

namespace {

ExportReport write_form(Exporter& exporter, const ExportRequest& request) {
  switch (request.form) {
    case ExportForm::kLegacy:
      return exporter.write_legacy(request.target);
    case ExportForm::kPortable:
      return exporter.write_portable(request.target);
    case ExportForm::kTar:
      break;
  }
  return request.sink ? exporter.write_tar(*request.sink) : exporter.write_tar_file(request.target);
}

}  // namespace

ExportResult export_snapshot(index::Repository& repository, Catalog& catalog,
                             const ExportRequest& request, const std::stop_token& stop) {
  const Filter& filter = request.options.filter;
  ExportResult result;
  result.chosen = choose_snapshot(*catalog.refresh(), {request.which, request.server, filter},
                                  repository.objects(), now());
  const SnapshotPtr& snapshot = result.chosen.snapshot;
  result.wal_left_out = describe_wal(repository.objects(), *snapshot, filter);
  request.on_chosen(result);
  Exporter exporter(repository, snapshot, request.options, stop);
  result.report = write_form(exporter, request);
  return result;
}

}  // namespace tsmfs::snapshot
