// What `tsmfs serve` and `tsmfs rehearse` are asked for: which snapshot, and with which influxd.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/commands/command.h"
#include "cli/serve/past_server.h"
#include "snapshot/model/filter.h"

namespace tsmfs::cli {

struct PastOptions {
  index::RepositoryLocation repository;
  std::string snapshot;  // --snapshot; empty: not said
  std::string at;        // --at; likewise
  std::string server;    // --server
  snapshot::Filter filter;
  std::filesystem::path influxd;  // --influxd
  std::string index;              // --index; empty: the configuration's, or else inmem
  bool copy = false;
  bool make_metastore = false;
  std::string cache;

  // As snapshot::choose_snapshot() takes it.
  const std::string& which() const;
};

void add_past_options(CLI::App& sub, PastOptions& options);
// Paths as they are from everywhere. Throws: UsageError, NoRepositoryError.
void check_past_options(PastOptions& options);

// For a server that answers at these ports of this machine. Throws: UsageError.
PastServerRequest request_for(const PastOptions& options, const InfluxdProgram& influxd,
                              uint16_t http_port, uint16_t snapshot_port);
// Throws: as index_of().
ServedPart part_for(const PastOptions& options, const PastServerRequest& request,
                    const snapshot::SnapshotPtr& snapshot);
// The inner process works in its place. Throws: IoError.
void enter_place(const ServedPlace& place);

// Chooses the snapshot; `status` is of a command that then does all it can.
struct ChosenPast {
  snapshot::SnapshotPtr snapshot;
  ExitCode status = ExitCode::kOk;
};
ChosenPast choose_past(const PastOptions& options, snapshot::Catalog& catalog,
                       index::Repository& repository, Context& context);

}  // namespace tsmfs::cli
