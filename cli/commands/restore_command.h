// What `tsmfs restore` was asked for, offline (into directories) or online (into a running server).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "cli/commands/command.h"
#include "cli/process/exit_code.h"
#include "snapshot/model/filter.h"

namespace tsmfs::cli {

inline constexpr const char* kPreferSnapshot = "snapshot";

struct RestoreCommand {
  index::RepositoryLocation repository;
  std::string snapshot = "latest";   // as snapshot::choose_snapshot takes it
  std::string server;                // whose snapshots count; empty: all
  snapshot::Filter filter;           // databases (at most one with a new name), policy, shard
  std::optional<Name> new_database;  // --newdb; nothing keeps the name
  std::optional<Name> new_policy;    // --newrp
  bool with_subscriptions = false;   // --newdb and --newrp keep them
  bool dry_run = false;
  // Offline.
  std::filesystem::path metadir, datadir, waldir;
  std::string owner;           // --owner user:group; empty follows the target directory
  std::string prefer;          // --prefer, with --merge: "existing" (also when empty) or "snapshot"
  std::string shard_duration;  // --shard-duration; empty: one that fits
  bool overwrite = false;
  bool skip_existing = false;
  bool merge = false;
  bool make_metastore = false;
  bool verify = false;
  bool with_users = false;  // a merge takes them, with their password hashes
  // Online.
  std::string host = "127.0.0.1:8088";
  double timeout_s = 120;
  std::string http_url;  // --http; empty: nothing goes over the query API
  std::string http_user;
  std::filesystem::path http_password_file;  // empty: INFLUX_PASSWORD
  std::filesystem::path http_ca;             // certificates to trust; empty: the system's
  bool online = false;
  bool resurrect_deleted = false;
  bool http_unsafe_ssl = false;  // any certificate is taken
};

ExitCode restore_offline(const RestoreCommand& command, Context& context);
ExitCode restore_online(const RestoreCommand& command, Context& context);

}  // namespace tsmfs::cli
