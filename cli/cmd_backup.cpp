#include <fmt/format.h>
#include <fmt/ostream.h>
#include <limits.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/format.h"
#include "index/base/error.h"
#include "index/frame_codec.h"
#include "index/repository.h"
#include "index/repository_writer.h"
#include "snapshot/capture.h"
#include "snapshot/catalog.h"
#include "snapshot/influxd_client.h"

namespace tsmfs::cli {

namespace {

struct BackupCommand {
  std::filesystem::path repository, last_argument;
  std::string host = "127.0.0.1:8088";
  std::string server;
  std::string compression = std::to_string(index::Compression::kLevelDefault);
  unsigned jobs = 2;
  double timeout_s = 120;
  bool quiet = false;
};

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// The server's name in the history: its host, and its port where that is not the usual one.
std::string server_name(const snapshot::Endpoint& endpoint) {
  std::string name = endpoint.host;
  char local[HOST_NAME_MAX + 1] = {};
  if (is_loopback(name) && ::gethostname(local, sizeof local - 1) == 0) name = local;
  return endpoint.port == snapshot::kSnapshotPort ? name
                                                  : fmt::format("{}:{}", name, endpoint.port);
}

void print_shard(std::ostream& err, const snapshot::ShardReport& report) {
  const auto& shard = report.shard;
  fmt::print(err, "[{}/{}] {}: {} files, {}, {} new{}{}\n", report.done, report.total,
             report.path.text(), shard.files.size(), format_bytes(shard.bytes),
             format_bytes(shard.new_bytes),
             shard.tries > 1 ? fmt::format(", {} tries", shard.tries) : "",
             shard.incomplete() ? ", INCOMPLETE" : "");
}

void print_result(Context& context, const snapshot::Manifest& manifest) {
  for (const auto& problem : manifest.problems) print_problem(context.err, problem);
  if (manifest.metastore_changed)
    fmt::print(context.err,
               "tsmfs: the metastore changed during the backup; the snapshot holds the one that "
               "fits its shards\n");
  fmt::print(context.out, "{} shards, {} files, {}; {} new, {} added to the repository\n",
             manifest.shards, manifest.files, format_bytes(manifest.bytes),
             format_bytes(manifest.new_bytes), format_bytes(manifest.stored_bytes));
  fmt::print(context.out, "snapshot {} saved{}\n", manifest.short_id(),
             manifest.incomplete() ? ", incomplete" : "");
}

ExitCode run_backup(const BackupCommand& command, Context& context) {
  require_repository(command.repository);
  const auto endpoint = snapshot::parse_endpoint(command.host);
  const std::string server = command.server.empty() ? server_name(endpoint) : command.server;
  if (!snapshot::is_valid_name(server))
    throw UsageError(fmt::format("'{}' cannot be the name of a server", server));
  index::WriterOptions writer_options{index::Compression::parse(command.compression)};

  // The server is asked first: a repository is not made for a backup that cannot begin.
  snapshot::InfluxdOptions client_options;
  client_options.timeouts.idle =
      std::chrono::milliseconds(static_cast<int64_t>(command.timeout_s * 1000));
  client_options.timeouts.connect =
      std::min(client_options.timeouts.connect, client_options.timeouts.idle);
  client_options.probe_idle = std::min(client_options.probe_idle, client_options.timeouts.idle);
  snapshot::InfluxdClient client(endpoint, client_options, context.stop);
  const auto dialect = client.probe();

  if (index::Repository::is_vacant(command.repository)) {
    index::Repository::create(command.repository);
    if (!command.quiet)
      fmt::print(context.err, "created repository {}\n", command.repository.string());
  }
  const auto repository = index::Repository::open_writer(command.repository, "backup");
  index::RepositoryWriter writer(*repository, writer_options);
  snapshot::Catalog catalog(repository->paths());
  snapshot::CaptureOptions options;
  options.server = server;
  options.dialect = snapshot::dialect_name(dialect);
  options.jobs = command.jobs;
  if (!command.quiet)
    options.on_shard = [&](const snapshot::ShardReport& report) {
      print_shard(context.err, report);
    };
  const auto manifest =
      snapshot::capture(client, *repository, writer, catalog, options, context.stop);
  print_result(context, *manifest);
  return manifest->incomplete() ? ExitCode::kIncomplete : ExitCode::kOk;
}

}  // namespace

void add_backup(CLI::App& app, Context& context) {
  auto command = std::make_shared<BackupCommand>();
  CLI::App* sub =
      app.add_subcommand("backup", "Back up everything an influxd has, as a new snapshot");
  sub->footer("\nExample:\n  tsmfs backup --host db1:8088 --repo /srv/tsmfs");
  add_repository_option(*sub, command->repository);
  sub->add_option("--host", command->host,
                  "The server's snapshot service (bind-address, port 8088)")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  sub->add_option("--server", command->server,
                  "The server's name in the history (default: its host name)")
      ->type_name("NAME");
  sub->add_option("--jobs,-j", command->jobs, "Shards fetched at once")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  sub->add_option("--compression", command->compression, "none, fast, or a zstd level from 1 to 19")
      ->capture_default_str();
  sub->add_option("--timeout", command->timeout_s,
                  "Seconds without a byte before a connection is given up")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  sub->add_flag("--quiet,-q", command->quiet, "Print problems and the result only");
  sub->add_option("REPOSITORY", command->last_argument,
                  "The repository, as influxd backup takes its directory");
  sub->callback([command, &context] {
    if (!command->last_argument.empty()) command->repository = command->last_argument;
    context.run = [command, &context] { return run_backup(*command, context); };
  });
}

}  // namespace tsmfs::cli
