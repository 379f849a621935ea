#include "cli/commands/chosen_snapshot.h"
#include "cli/commands/restore_command.h"
#include "cli/output/offline_report.h"
#include "index/base/error.h"
#include "index/base/owner.h"
#include "index/repository/repository.h"
#include "snapshot/influxdb/derived_metastore.h"
#include "snapshot/model/catalog.h"
#include "snapshot/restore/restore_offline.h"

namespace tsmfs::cli {

namespace {

void check_offline_options(const RestoreCommand& command) {
  if (command.datadir.empty() && !command.waldir.empty())
    throw UsageError("--waldir goes with --datadir", "the log belongs to the data beside it");
  if (command.overwrite + command.skip_existing + command.merge > 1)
    throw UsageError("--overwrite, --skip-existing and --merge contradict each other",
                     "use one of them");
  if (command.merge && !command.waldir.empty())
    throw UsageError("--merge cannot take a write-ahead log, whose points win over all others",
                     "restore into empty directories with --waldir, start influxd there until it "
                     "has written the log to its shards, and merge a backup of that");
  if (command.metadir.empty() && command.datadir.empty())
    throw UsageError("it is not said where to restore to",
                     "name --metadir, --datadir or both; or --online for a running server");
  if (command.make_metastore && command.metadir.empty())
    throw UsageError("--make-metastore makes a meta.db, and it is not said where",
                     "name --metadir");
}

snapshot::OfflineRequest offline_request(const RestoreCommand& command) {
  snapshot::OfflineRequest request;
  request.which = command.snapshot;
  request.server = command.server;
  request.dry_run = command.dry_run;
  request.options.verify = command.verify;
  snapshot::RestoreRequest& restore = request.restore;
  restore.choice = {command.filter, command.new_database, command.new_policy, command.with_users,
                    command.with_subscriptions};
  restore.metadir = command.metadir;
  restore.datadir = command.datadir;
  restore.waldir = command.waldir;
  if (!command.owner.empty()) restore.owner = parse_owner(command.owner);
  restore.overwrite = command.overwrite;
  restore.skip_existing = command.skip_existing;
  if (command.merge)
    restore.merge = command.prefer == kPreferSnapshot ? snapshot::Prefer::kSnapshot
                                                      : snapshot::Prefer::kExisting;
  restore.make_metastore = command.make_metastore;
  if (!command.shard_duration.empty())
    restore.shard_duration_ns = snapshot::parse_shard_duration(command.shard_duration);
  return request;
}

}  // namespace

ExitCode restore_offline(const RestoreCommand& command, Context& context) {
  check_offline_options(command);
  snapshot::OfflineRequest request = offline_request(command);
  snapshot::OfflineResult result;
  OfflineReport report({context.out, context.err, context.quiet}, request, result);
  request.options.progress = &report.progress();
  request.options.on_shard = [&](const auto& restored) { report.shard(restored); };
  request.on_chosen = [&](const auto& chosen) { tell_of_choice(chosen, context); };
  request.on_planned = [&](const auto&) { report.planned(); };
  const auto repository = index::Repository::open_reader({command.repository});
  snapshot::Catalog catalog(repository->storage());
  try {
    snapshot::restore_offline(*repository, catalog, request, result, context.stop);
  } catch (const Error&) {
    report.cut_short();
    throw;
  }
  report.result();
  const ExitCode status = status_of_choice(result.chosen);
  return status == ExitCode::kOk && result.lacks() ? ExitCode::kIncomplete : status;
}

}  // namespace tsmfs::cli
