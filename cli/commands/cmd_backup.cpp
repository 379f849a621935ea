#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "cli/commands/command.h"
#include "cli/commands/created_repository.h"
#include "cli/output/backup_report.h"
#include "cli/process/ssh_tunnel.h"
#include "index/base/error.h"
#include "index/base/host_name.h"
#include "index/codec/frame_codec.h"
#include "snapshot/backup/back_up.h"
#include "snapshot/server/influxd_client.h"

namespace tsmfs::cli {

namespace {

struct BackupCommand {
  index::RepositoryLocation repository;
  std::filesystem::path last_argument;
  std::string host = "127.0.0.1:8088";
  std::string ssh;
  std::string server;
  snapshot::Filter filter;
  std::string since, start, end;
  std::vector<std::string> tags;
  std::set<uint64_t> accept_missing;
  std::chrono::seconds lock_wait{0};
  std::string compression;
  unsigned jobs = 2;
  uint64_t shard_bytes_max = snapshot::kShardBytesMaxDefault;
  double timeout_s = 120;
  bool as_json = false;
};

// The server's name in the history: its host, and its port where that is not the usual one.
std::string server_name(const BackupCommand& command, const snapshot::Endpoint& endpoint) {
  if (!command.server.empty()) return command.server;
  std::string name = endpoint.host;
  if (is_loopback(endpoint) && !command.ssh.empty())
    name = ssh_host(command.ssh);
  else if (is_loopback(endpoint))
    name = host_name();
  return endpoint.port == snapshot::kSnapshotPort ? name
                                                  : fmt::format("{}:{}", name, endpoint.port);
}

// Both ends are inclusive; an open one reaches as far as InfluxDB's times do.
std::optional<snapshot::TimeRange> time_range(const BackupCommand& command) {
  if (command.start.empty() && command.end.empty()) return std::nullopt;
  snapshot::TimeRange range{snapshot::kInfluxTimeMin, snapshot::kInfluxTimeMax};
  if (!command.start.empty()) range.start = parse_rfc3339(command.start);
  if (!command.end.empty()) range.end = parse_rfc3339(command.end);
  if (range.start > range.end) throw UsageError("--start is later than --end");
  if (!command.since.empty())
    throw UsageError("--since and a time range do not go together",
                     "--since asks for files that changed, --start and --end for points of a time");
  return range;
}

std::optional<snapshot::Since> parse_since(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text == "last") return snapshot::Since{};
  return snapshot::Since{parse_rfc3339(text)};
}

snapshot::CaptureOptions capture_options(const BackupCommand& command,
                                         const snapshot::Endpoint& endpoint) {
  snapshot::CaptureOptions options;
  options.server = server_name(command, endpoint);
  require_name(options.server, "server");
  options.address = command.ssh.empty() ? endpoint.text()
                                        : fmt::format("{} by ssh {}", endpoint.text(), command.ssh);
  options.filter = command.filter;
  options.filter.range = time_range(command);
  options.since = parse_since(command.since);
  options.jobs = command.jobs;
  options.shard_bytes_max = command.shard_bytes_max;
  options.tags = snapshot::checked_tags(command.tags);
  options.accept_missing = command.accept_missing;
  return options;
}

// The whole metastore comes, and no shard.
void require_no_choice_of_shards(const BackupCommand& command) {
  snapshot::Filter bare;
  bare.metastore_only = true;
  if (command.filter == bare && command.since.empty() && command.start.empty() &&
      command.end.empty())
    return;
  throw UsageError("--metastore-only does not go with a choice of shards",
                   "leave out --database, --retention, --shard, --since, --start and --end");
}

snapshot::BackupRequest backup_request(const BackupCommand& command, const Context& context) {
  snapshot::BackupRequest request;
  request.repository = {command.repository, {"backup", command.lock_wait, context.stop}};
  request.writer.compression = index::Compression::parse(command.compression);
  request.endpoint = snapshot::parse_endpoint(command.host);
  request.connection =
      snapshot::InfluxdOptions::with_idle_max(std::chrono::duration<double>(command.timeout_s));
  request.capture = capture_options(command, request.endpoint);
  return request;
}

ExitCode run_backup(const BackupCommand& command, Context& context) {
  require_repository(command.repository);
  if (command.filter.metastore_only) require_no_choice_of_shards(command);
  snapshot::BackupRequest request = backup_request(command, context);
  if (command.ssh.empty() && !context.quiet)
    warn_of_open_connection(request.endpoint, "; --ssh tunnels it", context.err);
  std::optional<SshTunnel> tunnel;
  if (!command.ssh.empty()) {
    tunnel.emplace(command.ssh, request.endpoint, context.stop);
    request.endpoint = tunnel->endpoint();
  }
  BackupReport report(context.out, context.err,
                      command.as_json ? ReportForm::kJson
                      : context.quiet ? ReportForm::kQuiet
                                      : ReportForm::kPerson);
  request.on_created = [&] {
    if (!command.as_json) show_created(command.repository, context);
  };
  request.on_begin = [&] { report.begin(); };
  request.capture.progress = &report.progress();
  request.capture.on_shard = [&](const snapshot::ShardReport& shard) { report.shard(shard); };
  const bool with_since = request.capture.since.has_value();
  const auto result = snapshot::back_up(std::move(request), context.stop);
  report.result(result, with_since);
  return result.incomplete() ? ExitCode::kIncomplete : ExitCode::kOk;
}

void add_filter_options(CLI::App& sub, BackupCommand& command) {
  sub.add_option("--database,--db", command.filter.databases, "Only this database; may be repeated")
      ->type_name("DB")
      ->allow_extra_args(false);
  sub.add_option("--retention,--rp", command.filter.policy, "Only this retention policy")
      ->type_name("RP")
      ->needs("--database");
  sub.add_option("--shard", command.filter.shard, "Only this shard")->type_name("ID");
  sub.add_option("--since", command.since,
                 "Only files that changed since then, laid over\n"
                 "the snapshot before; 'last': since that one")
      ->type_name("TIME|last");
  sub.add_option("--start", command.start, "Only blocks with points not before this time")
      ->type_name("TIME");
  sub.add_option("--end", command.end, "Only blocks with points not after this time")
      ->type_name("TIME");
  sub.add_flag("--metastore-only", command.filter.metastore_only, "No shards");
}

}  // namespace

void add_backup(CLI::App& app, Context& context) {
  auto command = std::make_shared<BackupCommand>();
  CLI::App* sub = app.add_subcommand("backup", "Back up what an influxd has, as a new snapshot");
  sub->footer(
      "\nTimes are RFC 3339: 2016-02-01T18:02:36Z, 2016-02-01T20:02:36+02:00.\n"
      "\nExample:\n  tsmfs backup --host db1:8088 --repo /srv/tsmfs");
  add_repository_option(*sub, command->repository);
  sub->add_option("--host", command->host, "The server's snapshot service (bind-address)")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  sub->add_option("--ssh", command->ssh, "Reach the server through ssh to this machine")
      ->type_name("USER@HOST");
  sub->add_option("--server", command->server, "Its name in the history (its host name)")
      ->type_name("NAME");
  add_filter_options(*sub, *command);
  add_tag_option(*sub, command->tags);
  add_accept_missing_option(*sub, command->accept_missing);
  add_lock_wait_option(*sub, command->lock_wait);
  sub->add_option("--jobs,-j", command->jobs, "Shards fetched at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  sub->add_option("--max-shard-size", command->shard_bytes_max,
                  "Take a larger shard for a stream\nwithout end: 10G (1T)")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false));
  add_compression_option(*sub, command->compression);
  sub->add_option("--timeout", command->timeout_s, "Seconds without a byte before it gives up")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  sub->add_flag("--json", command->as_json, "Print JSON, one object a line");
  sub->add_option("REPOSITORY", command->last_argument, "The repository, as for influxd backup");
  sub->callback([command, &context] {
    take_last_argument(command->last_argument, command->repository);
    context.run = [command, &context] { return run_backup(*command, context); };
  });
}

}  // namespace tsmfs::cli
