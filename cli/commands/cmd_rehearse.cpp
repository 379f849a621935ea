#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "cli/commands/command.h"
#include "cli/commands/http_password.h"
#include "cli/commands/past_options.h"
#include "cli/output/rehearsal_report.h"
#include "cli/process/private_process.h"
#include "cli/process/reserved_port.h"
#include "index/base/error.h"

namespace tsmfs::cli {

namespace {

constexpr const char* kLiveUserVariable = "INFLUX_USERNAME";

struct RehearseCommand {
  PastOptions past;
  bool all_servers = false;
  std::string compare;  // --compare, an URL or HOST:PORT; empty: none
  std::string user;
  std::filesystem::path password_file;
  size_t sample = 0;  // measurements a database; 0: all
  double timeout_s = 3600;
  bool json = false;
};

snapshot::QueryServer live_server(const RehearseCommand& command) {
  snapshot::QueryServer server;
  server.url = command.compare.find("://") == std::string::npos ? "http://" + command.compare
                                                                : command.compare;
  server.user = command.user;
  if (!server.user.empty()) server.password = read_password(command.password_file);
  return server;
}

// What is damaged weighs more than what could not be asked, and that more than what is missing.
ExitCode worse(ExitCode one, ExitCode other) {
  const auto weight = [](ExitCode code) {
    if (code == ExitCode::kOk) return 0;
    if (code == ExitCode::kIncomplete) return 1;
    return code == ExitCode::kDamaged ? 3 : 2;
  };
  return weight(other) > weight(one) ? other : one;
}

ExitCode status_of(const RehearsalOutcome& outcome) {
  if (!outcome.unfinished.empty()) return ExitCode::kDamaged;
  ExitCode code = ExitCode::kOk;
  if (outcome.verdict() == snapshot::Verdict::kUnsound) code = ExitCode::kDamaged;
  if (outcome.verdict() == snapshot::Verdict::kIncomplete) code = ExitCode::kIncomplete;
  if (outcome.live && !outcome.live->differences.empty()) code = worse(code, ExitCode::kDamaged);
  if (outcome.live_failure.empty()) return code;
  return worse(code, outcome.live ? ExitCode::kIncomplete : ExitCode::kServer);
}

// In the inner process: one snapshot.
ExitCode rehearse_in(const ServedPlace& place, const RehearseCommand& command,
                     const PastServerRequest& server, Context& context,
                     const std::stop_token& stop) {
  const PastOptions& past = command.past;
  const auto repository = index::Repository::open_reader(
      {.location = past.repository, .cache_bytes = server.cache_bytes});
  snapshot::Catalog catalog(repository->storage());
  const ChosenPast chosen = choose_past(past, catalog, *repository, context);
  RehearsalTask task{.server = server,
                     .complete = chosen.status != ExitCode::kIncomplete,
                     .sample = command.sample,
                     .timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::duration<double>(command.timeout_s))};
  task.server.part = part_for(past, server, chosen.snapshot);
  if (!command.compare.empty()) task.live = live_server(command);
  const auto outcome = run_rehearsal(*repository, catalog, place, std::move(task), stop);
  if (command.json)
    print_rehearsal_json(context.out, outcome);
  else
    print_rehearsal(context.out, context.err, outcome);
  return worse(chosen.status, status_of(outcome));
}

ExitCode rehearse_one(const RehearseCommand& command, const InfluxdProgram& influxd,
                      Context& context) {
  const ReservedPort http = ReservedPort::any(), snapshots = ReservedPort::any();
  const ServedPlace place = ServedPlace::temporary();
  context.out.flush();
  PrivateProcess process(
      {context.err,
       [&](const std::stop_token& stop, const std::function<void()>&) {
         enter_place(place);
         const auto server = request_for(command.past, influxd, http.number(), snapshots.number());
         const ExitCode code = rehearse_in(place, command, server, context, stop);
         context.out.flush();
         return code;
       },
       [&place] { place.remove(); }},
      command.past.copy ? Namespaces::kNone : Namespaces::kPrivate);
  process.wait_ended(context.stop);
  const ExitCode code = process.end();
  if (context.stop.stop_requested()) throw Cancelled();
  return code;
}

std::set<std::string> servers_of(const index::RepositoryLocation& repository) {
  const auto place = index::open_place(repository);
  snapshot::Catalog catalog(*place.storage);
  std::set<std::string> servers;
  for (const auto& one : catalog.refresh()->snapshots) servers.insert(one->server);
  return servers;
}

ExitCode run_rehearse(RehearseCommand& command, Context& context) {
  check_past_options(command.past);
  if (command.all_servers && !command.past.server.empty())
    throw UsageError("--all-servers and --server contradict each other", "use one of them");
  if (command.compare.empty() && !command.user.empty() &&
      !is_from_environment(kLiveUserVariable, command.user))
    throw UsageError("--user is for --compare", "name the live server with --compare");
  const InfluxdProgram influxd = find_influxd(command.past.influxd);
  if (!command.all_servers) return rehearse_one(command, influxd, context);
  ExitCode worst = ExitCode::kOk;
  for (const std::string& server : servers_of(command.past.repository)) {
    command.past.server = server;
    worst = worse(worst, rehearse_one(command, influxd, context));
  }
  return worst;
}

constexpr const char* kRehearseFooter =
    "\nIt compares databases, policies, shards, measurements and series, and of each\n"
    "field the number of points and their first and last time, with what the TSM\n"
    "files and the write-ahead log of the snapshot hold. Exit status 0: all agrees;\n"
    "1: it does not; 3: it does, but the snapshot lacks what its server had.\n"
    "\nExample:\n"
    "  tsmfs rehearse --repo /srv/tsmfs --all-servers";

}  // namespace

void add_rehearse(CLI::App& app, Context& context) {
  auto command = std::make_shared<RehearseCommand>();
  CLI::App* sub = app.add_subcommand("rehearse", "Boot a snapshot, and compare what it answers");
  sub->footer(kRehearseFooter);
  add_past_options(*sub, command->past);
  sub->add_flag("--all-servers", command->all_servers, "The newest snapshot of each server");
  sub->add_option("--sample", command->sample, "So many measurements a database, by chance")
      ->check(CLI::Range(size_t{1}, size_t{1'000'000}))
      ->type_name("N");
  sub->add_option("--timeout", command->timeout_s, "Seconds for a snapshot")
      ->type_name("S")
      ->check(CLI::Range(1.0, 1e7))
      ->capture_default_str();
  sub->add_option("--compare", command->compare, "Also with a live server, in shards it has")
      ->type_name("HOST:PORT|URL");
  sub->add_option("--user", command->user, "Of the live server")
      ->envname(kLiveUserVariable)
      ->type_name("NAME");
  sub->add_option("--password-file", command->password_file,
                  "First line: password (or $INFLUX_PASSWORD)")
      ->type_name("FILE")
      ->needs("--user");
  sub->add_flag("--json", command->json, "The result as JSON, an object a snapshot");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_rehearse(*command, context); };
  });
}

}  // namespace tsmfs::cli
