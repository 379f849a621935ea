// What `tsmfs restore` was asked for, offline (into directories) or online (into a running server).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "index/repository.h"
#include "snapshot/catalog.h"
#include "snapshot/filter.h"

namespace tsmfs::cli {

struct RestoreCommand {
  std::filesystem::path repository;
  std::string snapshot = "latest";   // as snapshot::choose_snapshot takes it
  std::string server;                // whose snapshots count; empty: all
  snapshot::Filter filter;           // databases (at most one with a new name), policy, shard
  std::optional<Name> new_database;  // --newdb; nothing keeps the name
  std::optional<Name> new_policy;    // --newrp
  bool dry_run = false;
  bool quiet = false;
  // Offline.
  std::filesystem::path metadir, datadir;
  std::string owner;  // --owner user:group; empty follows the target directory
  bool overwrite = false;
  bool verify = false;
  // Online.
  bool online = false;
  std::string host = "127.0.0.1:8088";
  double timeout_s = 120;
  bool resurrect_deleted = false;
};

// The snapshot that is meant, of those in `catalog`; what a person should know of the choice goes
// to `context.err`.
snapshot::SnapshotPtr choose_snapshot(const RestoreCommand& command, snapshot::Catalog& catalog,
                                      index::Repository& repository, Context& context);

ExitCode restore_offline(const RestoreCommand& command, Context& context);
ExitCode restore_online(const RestoreCommand& command, Context& context);

}  // namespace tsmfs::cli
