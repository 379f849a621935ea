#include <chrono>
#include <optional>

#include "cli/commands/chosen_snapshot.h"
#include "cli/commands/http_password.h"
#include "cli/commands/restore_command.h"
#include "cli/output/format.h"
#include "cli/output/online_report.h"
#include "index/base/error.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/restore/restore_online.h"

namespace tsmfs::cli {

namespace {

std::optional<snapshot::QueryServer> query_server(const RestoreCommand& command) {
  if (command.http_url.empty()) return std::nullopt;
  snapshot::QueryServer server;
  server.url = command.http_url;
  server.user = command.http_user;
  if (!server.user.empty()) server.password = read_password(command.http_password_file);
  server.ca_file = command.http_ca;
  server.any_certificate = command.http_unsafe_ssl;
  server.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(command.timeout_s));
  return server;
}

snapshot::OnlineRequest online_request(const RestoreCommand& command) {
  snapshot::OnlineRequest request;
  request.which = command.snapshot;
  request.server = command.server;
  request.endpoint = snapshot::parse_endpoint(command.host);
  request.connection =
      snapshot::InfluxdOptions::with_idle_max(std::chrono::duration<double>(command.timeout_s));
  request.options.filter = command.filter;
  request.options.new_database = command.new_database;
  request.options.new_policy = command.new_policy;
  request.options.with_subscriptions = command.with_subscriptions;
  request.options.resurrect_deleted = command.resurrect_deleted;
  request.http = query_server(command);
  request.dry_run = command.dry_run;
  return request;
}

void show_as_it_runs(snapshot::OnlineRequest& request, Context& context) {
  request.on_chosen = [&](const auto& chosen) {
    tell_of_choice(chosen, context);
    if (!context.quiet) warn_of_open_connection(request.endpoint, "", context.err);
  };
  request.on_planned = [&](const snapshot::OnlineResult& result) {
    print_online_warnings(context.err, result, context.quiet);
  };
  request.on_begin = [&](const snapshot::OnlineResult& result) {
    print_snapshot(context.out, *result.chosen.snapshot);
  };
  if (!context.quiet)
    request.options.on_shard = [&](const auto& shard) { print_uploaded(context.err, shard); };
}

ExitCode status_after(const snapshot::OnlineResult& result) {
  if (result.damaged()) return ExitCode::kDamaged;
  if (!result.report.failed.empty()) return ExitCode::kServer;
  return result.lacks() ? ExitCode::kIncomplete : status_of_choice(result.chosen);
}

}  // namespace

ExitCode restore_online(const RestoreCommand& command, Context& context) {
  snapshot::OnlineRequest request = online_request(command);
  show_as_it_runs(request, context);
  const std::string server = request.endpoint.text();
  const auto repository = index::Repository::open_reader({command.repository});
  snapshot::Catalog catalog(repository->storage());
  snapshot::OnlineResult result;
  try {
    snapshot::restore_online(*repository, catalog, request, result, context.stop);
  } catch (const Error&) {
    print_online_result(context.out, context.err, result, server);
    throw;
  }
  if (request.dry_run)
    print_online_plan(context.out, result, server);
  else
    print_online_result(context.out, context.err, result, server);
  return status_after(result);
}

}  // namespace tsmfs::cli
