#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/commands/chosen_snapshot.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/repository/repository.h"
#include "snapshot/export/exporter.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/snapshot_choice.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/stream/byte_sink.h"

namespace tsmfs::cli {

namespace {

enum class Form { kLegacy, kPortable, kTar };

struct ExportCommand {
  std::filesystem::path repository;
  std::string snapshot = "latest";
  std::string server;
  std::string form;
  std::string target;
  snapshot::Filter filter;
  std::string owner;
  std::optional<unsigned> jobs;
  bool resurrect_deleted = false;
};

Form parse_form(const std::string& text) {
  if (text == "legacy") return Form::kLegacy;
  if (text == "portable") return Form::kPortable;
  return Form::kTar;
}

// A tar on a terminal is of no use to anybody.
void refuse_terminal(const Context& context) {
  if (&context.bytes == &std::cout && ::isatty(STDOUT_FILENO) == 1)
    throw UsageError("standard output is a terminal",
                     "send the tar somewhere: tsmfs export --format tar - | tar xf -");
}

snapshot::ExportReport write(snapshot::Exporter& exporter, Form form, const std::string& target,
                             Context& context) {
  if (form == Form::kLegacy) return exporter.write_legacy(target);
  if (form == Form::kPortable) return exporter.write_portable(target);
  if (target != "-") return exporter.write_tar_file(target);
  refuse_terminal(context);
  snapshot::StreamSink sink(context.bytes);
  auto report = exporter.write_tar(sink);
  if (!context.bytes.flush()) throw IoError("cannot write the output", errno);
  return report;
}

ExitCode run_export(const ExportCommand& command, Context& context) {
  require_repository(command.repository);
  const Form form = parse_form(command.form);
  if (command.target == "-" && form != Form::kTar)
    throw UsageError(fmt::format("--format {} needs a directory, not '-'", command.form),
                     "only --format tar goes to standard output");
  if (command.resurrect_deleted && form != Form::kPortable)
    throw UsageError("--resurrect-deleted is for --format portable",
                     "in the other forms deleted points stay deleted");
  if (command.jobs && form == Form::kTar)
    throw UsageError("--jobs is for --format legacy and portable",
                     "a tar is written from its beginning to its end");
  const auto repository = index::Repository::open_reader({command.repository});
  snapshot::Catalog catalog(repository->storage());
  const auto chosen = snapshot::choose_snapshot(*catalog.refresh(),
                                                {command.snapshot, command.server, command.filter},
                                                repository->objects(), now());
  const ExitCode status = tell_of_choice(chosen, context);
  const auto& snapshot = chosen.snapshot;
  const std::string wal = snapshot::describe_wal(repository->objects(), *snapshot, command.filter);
  if (!wal.empty())
    print_message(context.err, "warning",
                  wal +
                      ", is not exported: restore --datadir --waldir brings it, and /wal of the "
                      "mount has it");

  snapshot::ExportOptions options;
  options.filter = command.filter;
  options.owner = command.owner.empty() ? snapshot::TarOwner::current()
                                        : snapshot::TarOwner::parse(command.owner);
  options.jobs = command.jobs.value_or(options.jobs);
  options.resurrect_deleted = command.resurrect_deleted;
  if (!context.quiet)
    options.on_shard = [&](const snapshot::ExportedShard& shard) {
      fmt::print(context.err, "[{}/{}] {}: {} files, {}\n", shard.done, shard.total,
                 visible(shard.path.text()), shard.files, format_bytes(shard.bytes));
    };
  print_problems(context.err, snapshot->problems);
  snapshot::Exporter exporter(*repository, snapshot, std::move(options), context.stop);
  const auto report = write(exporter, form, command.target, context);
  for (const auto* messages : {&report.left_out, &report.notes, &report.warnings})
    for (const std::string& message : *messages) print_message(context.err, "warning", message);
  if (!report.warnings.empty())
    fmt::print(context.err, "  --format portable has no such trouble, nor has tsmfs restore\n");
  // Standard output may be the tar.
  std::ostream& result = command.target == "-" ? context.err : context.out;
  if (command.target != "-" || !context.quiet)
    fmt::print(result, "snapshot {} of {}: {} shards, {} files, {} exported\n",
               snapshot->short_id(), format_rfc3339(snapshot->time), report.shards, report.files,
               format_bytes(report.bytes));
  if (status != ExitCode::kOk) return status;
  return wal.empty() && report.left_out.empty() ? ExitCode::kOk : ExitCode::kIncomplete;
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  auto command = std::make_shared<ExportCommand>();
  CLI::App* sub = app.add_subcommand("export", "Write a snapshot as influxd backup would");
  sub->footer(
      "\nlegacy    DIR/meta.00 and DIR/db.rp.SSSSS.00, as influxd backup\n"
      "portable  DIR/TIME.manifest and so on, as influxd backup -portable\n"
      "tar       db/rp/shard/file and meta/meta.db, in a file or on standard output (-)\n"
      "DIR must be empty or absent, a FILE absent.\n"
      "\nExamples:\n"
      "  tsmfs export --format portable --repo /srv/tsmfs /tmp/export\n"
      "  influxd restore -portable -db telegraf -newdb telegraf_old /tmp/export\n"
      "  tsmfs export --format tar --database telegraf - | ssh db2 tar xf - -C /restore");
  add_repository_option(*sub, command->repository);
  sub->add_option("--format", command->form, "legacy, portable or tar")
      ->check(CLI::IsMember({"legacy", "portable", "tar"}))
      ->type_name("FORM")
      ->required();
  sub->add_option("--snapshot,-s", command->snapshot, "latest, an id, 2026-11-24, 2h-ago, ...")
      ->type_name("ID")
      ->capture_default_str();
  sub->add_option("--server", command->server, "Of this server, if several have snapshots")
      ->type_name("NAME");
  sub->add_option("--database,--db", command->filter.databases, "Only this database (repeatable)")
      ->type_name("DB")
      ->allow_extra_args(false);
  sub->add_option("--retention,--rp", command->filter.policy, "Only this retention policy")
      ->type_name("RP");
  sub->add_option("--shard", command->filter.shard, "Only this shard")->type_name("ID");
  sub->add_option("--owner", command->owner, "Owner of the files in the tars (default: you)")
      ->type_name("USER:GROUP");
  sub->add_option("--jobs,-j", command->jobs, "legacy, portable: shards written at once (2)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  sub->add_flag("--resurrect-deleted", command->resurrect_deleted,
                "portable: go on though deleted points come back");
  sub->add_option("TARGET", command->target, "A directory; for tar a file, or -")->required();
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_export(*command, context); };
  });
}

}  // namespace tsmfs::cli
