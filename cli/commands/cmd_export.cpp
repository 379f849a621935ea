#include <fmt/format.h>
#include <fmt/ostream.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "cli/commands/chosen_snapshot.h"
#include "cli/commands/command.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/repository/repository.h"
#include "snapshot/export/export_snapshot.h"
#include "snapshot/model/catalog.h"
#include "snapshot/stream/byte_sink.h"

namespace tsmfs::cli {

namespace {

using snapshot::ExportForm;

struct ExportCommand {
  index::RepositoryLocation repository;
  std::string form;
  std::string target;
  std::string owner;
  std::optional<unsigned> jobs;
  snapshot::ExportRequest request;

  bool to_standard_output() const { return target == "-"; }
};

ExportForm parse_form(const std::string& text) {
  if (text == "legacy") return ExportForm::kLegacy;
  if (text == "portable") return ExportForm::kPortable;
  return ExportForm::kTar;
}

void check_export_options(const ExportCommand& command, const snapshot::ExportRequest& request) {
  require_repository(command.repository);
  if (command.to_standard_output() && request.form != ExportForm::kTar)
    throw UsageError(fmt::format("--format {} needs a directory, not '-'", command.form),
                     "only --format tar goes to standard output");
  if (request.options.resurrect_deleted && request.form != ExportForm::kPortable)
    throw UsageError("--resurrect-deleted is for --format portable",
                     "in the other forms deleted points stay deleted");
  if (command.jobs && request.form == ExportForm::kTar)
    throw UsageError("--jobs is for --format legacy and portable",
                     "a tar is written from its beginning to its end");
}

// A tar on a terminal is of no use to anybody.
void refuse_terminal(const ExportCommand& command, const Context& context) {
  if (command.to_standard_output() && &context.bytes == &std::cout && ::isatty(STDOUT_FILENO) == 1)
    throw UsageError("standard output is a terminal",
                     "send the tar somewhere: tsmfs export --format tar - | tar xf -");
}

void show_choice(const snapshot::ExportResult& result, Context& context) {
  tell_of_choice(result.chosen, context);
  if (!result.wal_left_out.empty())
    print_message(context.err, "warning",
                  result.wal_left_out +
                      ", is not exported: restore --datadir --waldir brings it, and /wal of the "
                      "mount has it");
  print_problems(context.err, result.chosen.snapshot->problems);
}

void show_result(const snapshot::ExportResult& result, bool to_standard_output, Context& context) {
  const snapshot::ExportReport& report = result.report;
  for (const auto* messages : {&report.left_out, &report.notes, &report.warnings})
    for (const std::string& message : *messages) print_message(context.err, "warning", message);
  if (!report.warnings.empty())
    fmt::print(context.err, "  --format portable has no such trouble, nor has tsmfs restore\n");
  if (to_standard_output && context.quiet) return;
  // Standard output may be the tar.
  std::ostream& out = to_standard_output ? context.err : context.out;
  const snapshot::Manifest& snapshot = *result.chosen.snapshot;
  fmt::print(out, "snapshot {} of {}: {} shards, {} files, {} exported\n", snapshot.short_id(),
             format_rfc3339(snapshot.time), report.shards, report.files,
             format_bytes(report.bytes));
}

snapshot::ExportRequest export_request(const ExportCommand& command, Context& context) {
  snapshot::ExportRequest request = command.request;
  request.form = parse_form(command.form);
  request.target = command.target;
  snapshot::ExportOptions& options = request.options;
  options.owner = command.owner.empty() ? snapshot::TarOwner::current()
                                        : snapshot::TarOwner::parse(command.owner);
  options.jobs = command.jobs.value_or(options.jobs);
  request.on_chosen = [&](const auto& result) { show_choice(result, context); };
  if (!context.quiet)
    options.on_shard = [&](const snapshot::ExportedShard& shard) {
      fmt::print(context.err, "[{}/{}] {}: {} files, {}\n", shard.done, shard.total,
                 visible(shard.path.text()), shard.files, format_bytes(shard.bytes));
    };
  return request;
}

ExitCode run_export(const ExportCommand& command, Context& context) {
  snapshot::ExportRequest request = export_request(command, context);
  check_export_options(command, request);
  refuse_terminal(command, context);
  snapshot::StreamSink sink(context.bytes);
  if (command.to_standard_output()) request.sink = &sink;
  const auto repository = index::Repository::open_reader({command.repository});
  snapshot::Catalog catalog(repository->storage());
  const auto result = snapshot::export_snapshot(*repository, catalog, request, context.stop);
  if (command.to_standard_output() && !context.bytes.flush())
    throw IoError("cannot write the output", errno);
  show_result(result, command.to_standard_output(), context);
  const ExitCode status = status_of_choice(result.chosen);
  if (status != ExitCode::kOk) return status;
  return result.complete() ? ExitCode::kOk : ExitCode::kIncomplete;
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  auto command = std::make_shared<ExportCommand>();
  snapshot::ExportRequest& request = command->request;
  snapshot::Filter& filter = request.options.filter;
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
  sub->add_option("--snapshot,-s", request.which, "latest, an id, 2026-11-24, 2h-ago, ...")
      ->type_name("ID")
      ->capture_default_str();
  sub->add_option("--server", request.server, "Of this server, if several have snapshots")
      ->type_name("NAME");
  sub->add_option("--database,--db", filter.databases, "Only this database (repeatable)")
      ->type_name("DB")
      ->allow_extra_args(false);
  sub->add_option("--retention,--rp", filter.policy, "Only this retention policy")->type_name("RP");
  sub->add_option("--shard", filter.shard, "Only this shard")->type_name("ID");
  sub->add_option("--owner", command->owner, "Owner of the files in the tars (default: you)")
      ->type_name("USER:GROUP");
  sub->add_option("--jobs,-j", command->jobs, "legacy, portable: shards written at once (2)")
      ->check(CLI::Range(1, 64))
      ->type_name("N");
  sub->add_flag("--resurrect-deleted", request.options.resurrect_deleted,
                "portable: go on though deleted points come back");
  sub->add_option("TARGET", command->target, "A directory; for tar a file, or -")->required();
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_export(*command, context); };
  });
}

}  // namespace tsmfs::cli
