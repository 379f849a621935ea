#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>
#include <string>
#include <utility>

#include "cli/commands/command.h"
#include "cli/commands/created_repository.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/base/host_name.h"
#include "index/base/timestamp.h"
#include "index/codec/frame_codec.h"
#include "snapshot/import/take_in.h"
#include "snapshot/influxdb/derived_metastore.h"

namespace tsmfs::cli {

namespace {

struct ImportCommand {
  index::RepositoryLocation repository;
  std::filesystem::path directory;
  snapshot::DataDirPlaces data_dir;
  std::string server, time;
  bool make_metastore = false;
  std::string shard_duration;  // empty: one that fits
  std::vector<std::string> tags;
  std::chrono::seconds lock_wait{0};
  std::string compression;
  bool force = false;
};

// What the snapshot is not, though one might think so.
void print_place(const snapshot::ImportReport& report, Context& context) {
  const snapshot::Manifest& manifest = *report.snapshot;
  if (!manifest.filter.databases.empty())
    print_message(context.err, "",
                  fmt::format("{} holds nothing of the other databases of its metastore: it counts "
                              "as a backup of {} only",
                              manifest.short_id(), manifest.filter.text()));
  if (report.newer)
    print_message(context.err, "",
                  fmt::format("its time is when the directory last changed, which is before that "
                              "of snapshot {} ({}): that stays the newest; --time gives another",
                              report.newer->short_id(), format_rfc3339(report.newer->time)));
}

void print_report(const snapshot::ImportReport& report, Context& context) {
  const snapshot::Manifest& manifest = *report.snapshot;
  if (report.time_taken) {
    print_message(context.err, "",
                  fmt::format("nothing was imported: {} is the time of snapshot {}, and --time "
                              "says that this is of that time; give another one, or forget that "
                              "snapshot",
                              format_rfc3339(manifest.time), manifest.short_id()));
    return;
  }
  print_problems(context.err, manifest.problems);
  fmt::print(context.out, "{} {} shards, {} files, {}; {} new; snapshot {} saved{}\n",
             format_rfc3339(manifest.time), manifest.shards, manifest.files,
             format_bytes(manifest.bytes), format_bytes(manifest.new_bytes), manifest.short_id(),
             manifest.incomplete() ? ", incomplete" : "");
  context.out.flush();
  if (!context.quiet) print_place(report, context);
}

void print_there(const snapshot::ImportReport& report, Context& context) {
  const snapshot::Manifest& manifest = *report.snapshot;
  if (manifest.incomplete()) print_problems(context.err, manifest.problems);
  if (context.quiet && !manifest.incomplete()) return;
  fmt::print(context.out, "{} is there already, as snapshot {}{}{}\n",
             format_rfc3339(manifest.time), manifest.short_id(),
             manifest.incomplete() ? ", and is incomplete as it was" : "",
             report.tagged ? "; it has the tags now" : "");
}

snapshot::ImportOptions options_of(const ImportCommand& command, Context& context) {
  snapshot::ImportOptions options;
  options.server = command.server.empty() ? host_name() : command.server;
  require_name(options.server, "server");
  options.reread = command.force;
  options.make_metastore = command.make_metastore;
  if (!command.shard_duration.empty())
    options.shard_duration_ns = snapshot::parse_shard_duration(command.shard_duration);
  options.tags = snapshot::checked_tags(command.tags);
  if (!command.time.empty()) options.time = parse_rfc3339(command.time);
  options.on_snapshot = [&context](const snapshot::ImportReport& report) {
    if (report.already_there && !report.time_taken)
      print_there(report, context);
    else
      print_report(report, context);
  };
  return options;
}

void print_notes(const std::vector<std::string>& notes, Context& context) {
  if (context.quiet) return;
  for (const std::string& note : notes) print_message(context.err, "", note);
}

void check_arguments(const ImportCommand& command) {
  require_repository(command.repository);
  const bool places = !command.data_dir.meta.empty() || !command.data_dir.wal.empty();
  if (command.directory.empty() == command.data_dir.data.empty())
    throw UsageError("import takes either a directory that influxd backup wrote, or --data-dir",
                     "see tsmfs import --help");
  if (places && command.data_dir.data.empty())
    throw UsageError("--meta-dir and --wal-dir go with --data-dir");
  if (command.make_metastore && command.data_dir.data.empty())
    throw UsageError("--make-metastore goes with --data-dir",
                     "of a snapshot without a metastore, restore --make-metastore makes one");
  if (command.make_metastore && !command.data_dir.meta.empty())
    throw UsageError("--make-metastore and --meta-dir contradict each other", "use one of them");
  if (!command.make_metastore && !command.shard_duration.empty())
    throw UsageError("--shard-duration goes with --make-metastore");
}

ExitCode status_of(const snapshot::TakenIn& taken) {
  if (!taken.complete) return ExitCode::kIncomplete;
  return taken.time_taken ? ExitCode::kTaken : ExitCode::kOk;
}

ExitCode import_all(const ImportCommand& command, Context& context) {
  check_arguments(command);
  snapshot::TakeInRequest request;
  request.import = options_of(command, context);
  request.repository = {command.repository, {"import", command.lock_wait, context.stop}};
  request.writer = {index::Compression::parse(command.compression)};
  request.on_created = [&] { show_created(command.repository, context); };
  if (!command.data_dir.data.empty()) {
    const auto dir = snapshot::read_data_dir(command.data_dir);
    print_notes(dir.notes, context);
    return status_of(snapshot::take_in(dir, std::move(request), context.stop));
  }
  const auto dirs = snapshot::read_backup_dirs(command.directory);
  for (const snapshot::BackupDir& dir : dirs) {
    print_notes(dir.notes, context);
    for (const std::string& damaged : dir.damaged)
      print_message(context.err, "INCOMPLETE", damaged);
  }
  return status_of(snapshot::take_in(dirs, std::move(request), context.stop));
}

// What is wrong with files of influxd is told as of what influxd sends; but no server is asked
// here.
ExitCode run_import(const ImportCommand& command, Context& context) {
  try {
    return import_all(command, context);
  } catch (const ProtocolError& error) {
    throw Error(error.what(), error.advice());
  }
}

void add_data_dir_options(CLI::App& sub, snapshot::DataDirPlaces& places) {
  sub.add_option("--data-dir", places.data, "Instead of DIR: a server's data directory")
      ->type_name("DIR");
  sub.add_option("--meta-dir", places.meta, "Its meta directory, with meta.db")->type_name("DIR");
  sub.add_option("--wal-dir", places.wal, "Its WAL directory, mounted as /wal/<time>")
      ->type_name("DIR");
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  auto command = std::make_shared<ImportCommand>();
  CLI::App* sub = app.add_subcommand("import", "Take in backups of influxd, or a data directory");
  sub->footer(
      "\nEach run of influxd backup that DIR holds becomes a snapshot with its own\n"
      "time, legacy runs laid over the ones before them. Runs that were imported\n"
      "before are skipped, so that the same DIR can be imported again; those whose\n"
      "snapshot is incomplete are read anew. Directories of one server side by side\n"
      "are imported together: name the one that they are in.\n"
      "\nExample:\n"
      "  tsmfs import --repo /srv/tsmfs --server db1 /var/backups/influxdb\n"
      "  tsmfs import --repo /srv/tsmfs --data-dir /var/lib/influxdb/data \\\n"
      "    --meta-dir /var/lib/influxdb/meta --wal-dir /var/lib/influxdb/wal");
  add_repository_option(*sub, command->repository);
  sub->add_option("--server", command->server, "Its name in the history (this host's name)")
      ->type_name("NAME");
  sub->add_option("--time", command->time, "The snapshot's time, if DIR holds one backup")
      ->type_name("TIME");
  add_data_dir_options(*sub, command->data_dir);
  sub->add_flag("--make-metastore", command->make_metastore,
                "Instead of --meta-dir: derive it from the points");
  sub->add_option("--shard-duration", command->shard_duration, "Of it (as the shards fit it)")
      ->type_name("D");
  sub->add_flag("--force", command->force, "Read unchanged files, too (--data-dir)")
      ->needs("--data-dir");
  add_tag_option(*sub, command->tags);
  add_lock_wait_option(*sub, command->lock_wait);
  add_compression_option(*sub, command->compression);
  sub->add_option("DIR", command->directory, "Where influxd backup wrote to, in either format");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_import(*command, context); };
  });
}

}  // namespace tsmfs::cli
