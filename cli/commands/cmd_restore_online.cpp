#include <fmt/format.h>
#include <fmt/ostream.h>

#include <chrono>

#include "cli/commands/restore_command.h"
#include "cli/commands/restore_settings.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/restore/online_restorer.h"
#include "snapshot/server/influxd_client.h"
#include "snapshot/server/influxd_upload.h"

namespace tsmfs::cli {

namespace {

using snapshot::OnlinePlan;
using snapshot::OnlineReport;

void require_uploads(const snapshot::InfluxdClient& client, snapshot::Dialect dialect) {
  if (dialect == snapshot::Dialect::k15) return;
  throw ProtocolError(
      fmt::format("the server at {} is older than InfluxDB 1.5: a running one takes no restore",
                  client.endpoint().text()),
      "stop it and restore into its directories, with --metadir and --datadir");
}

void print_plan(const OnlinePlan& plan, const std::string& server, std::ostream& out) {
  for (const auto& database : plan.databases)
    for (const auto& shard : database.shards)
      fmt::print(out, "{} -> {}/{}: {} files, {}\n", visible(shard.path.text()),
                 visible(database.names.new_database),
                 visible(database.names.new_policy.value_or(shard.path.policy)), shard.files.size(),
                 format_bytes(shard.bytes));
  fmt::print(out, "would restore {} databases, {} shards, {} files, {} into the server at {}\n",
             plan.databases.size(), plan.shards, plan.files, format_bytes(plan.bytes), server);
}

// What is on the server after a restore that did not come to its end.
void print_whole(const OnlineReport& report, std::ostream& err) {
  if (report.whole.empty()) {
    fmt::print(err, "no shard was restored\n");
    return;
  }
  fmt::print(err, "restored whole, under their new numbers:\n");
  for (const auto& path : report.whole) fmt::print(err, "  {}\n", visible(path.text()));
}

ExitCode print_result(const OnlinePlan& plan, const OnlineReport& report, const std::string& server,
                      Context& context) {
  if (report.failed.empty()) {
    fmt::print(context.out, "{} databases, {} shards, {} restored into the server at {}\n",
               plan.databases.size(), report.whole.size(), format_bytes(report.bytes), server);
    return ExitCode::kOk;
  }
  bool damaged = false;
  for (const auto& failed : report.failed) {
    print_message(context.err, "",
                  fmt::format("{} was not restored: {}", visible(failed.from.text()), failed.what));
    damaged |= failed.damaged;
  }
  print_whole(report, context.err);
  fmt::print(context.err,
             "{} of {} shards are missing: drop the new databases before another try\n",
             report.failed.size(), plan.shards);
  return damaged ? ExitCode::kDamaged : ExitCode::kServer;
}

}  // namespace

ExitCode restore_online(const RestoreCommand& command, Context& context) {
  const auto repository = index::Repository::open_reader({command.repository});
  snapshot::Catalog catalog(repository->storage());
  const auto [snapshot, choice_status] = choose_snapshot(command, catalog, *repository, context);
  const auto endpoint = snapshot::parse_endpoint(command.host);
  if (!context.quiet) warn_of_open_connection(endpoint, "", context.err);
  const auto client_options =
      snapshot::InfluxdOptions::with_idle_max(std::chrono::duration<double>(command.timeout_s));
  snapshot::InfluxdClient client(endpoint, client_options, context.stop);
  require_uploads(client, client.probe());
  const snapshot::InfluxdUpload upload(endpoint, client_options.timeouts, context.stop);

  snapshot::OnlineOptions options;
  options.filter = command.filter;
  options.new_database = command.new_database;
  options.new_policy = command.new_policy;
  options.with_subscriptions = command.with_subscriptions;
  options.resurrect_deleted = command.resurrect_deleted;
  if (!context.quiet)
    options.on_shard = [&](const snapshot::UploadedShard& shard) {
      fmt::print(context.err, "[{}/{}] {} -> {}: {} files, {}\n", shard.done, shard.total,
                 visible(shard.from.text()), visible(shard.to.text()), shard.files,
                 format_bytes(shard.bytes));
    };
  snapshot::OnlineRestorer restorer(*repository, snapshot, client, upload, std::move(options),
                                    context.stop);
  const OnlinePlan plan = restorer.plan();
  print_problems(context.err, snapshot->problems);
  for (const std::string& note : plan.notes) print_message(context.err, "warning", note);
  SettingsRestore settings(command, restorer.choice(), plan.missing, context);
  settings.require_server(plan.server_databases);
  print_snapshot(context.out, *snapshot);
  if (command.dry_run) {
    print_plan(plan, endpoint.text(), context.out);
    settings.print_plan(context.out);
    return plan.lacks_wal || settings.lacks() ? ExitCode::kIncomplete : choice_status;
  }
  OnlineReport report;
  try {
    restorer.run(plan, report);
  } catch (const Error&) {
    print_whole(report, context.err);
    throw;
  }
  const ExitCode code = print_result(plan, report, endpoint.text(), context);
  if (code != ExitCode::kOk) return code;
  const ExitCode of_settings = settings.run();
  if (of_settings != ExitCode::kOk) return of_settings;
  return plan.lacks_wal ? ExitCode::kIncomplete : choice_status;
}

}  // namespace tsmfs::cli
