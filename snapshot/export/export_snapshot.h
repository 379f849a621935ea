// One run of `tsmfs export`: a snapshot, chosen and written in one of the forms of exporter.h.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>

#include "index/repository/repository.h"
#include "snapshot/export/exporter.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/snapshot_choice.h"
#include "snapshot/stream/byte_sink.h"

namespace tsmfs::snapshot {

enum class ExportForm { kLegacy, kPortable, kTar };

struct ExportResult {
  ChosenSnapshot chosen;
  // What of the write-ahead log was asked for, for which no form has a place; empty: nothing.
  std::string wal_left_out;
  ExportReport report;
  // Whether all that was asked for is there, as far as it is known.
  bool complete() const {
    return !chosen.unsure && !chosen.incomplete && wal_left_out.empty() && report.left_out.empty();
  }
};

struct ExportRequest {
  std::string which = "latest";  // as SnapshotWish
  std::string server;            // likewise
  ExportForm form = ExportForm::kLegacy;
  std::filesystem::path target;  // a directory; of a tar a file
  ByteSink* sink = nullptr;      // takes the tar instead of a file
  ExportOptions options;
  // Before anything is written; there is no report yet.
  std::function<void(const ExportResult&)> on_chosen = [](const ExportResult&) {};
};

// Throws: as choose_snapshot() and Exporter; nothing has appeared then, but what a sink took.
ExportResult export_snapshot(index::Repository& repository, Catalog& catalog,
                             const ExportRequest& request, const std::stop_token& stop);

}  // namespace tsmfs::snapshot
