#include <fmt/format.h>
#include <fmt/ostream.h>

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/command.h"
#include "cli/commands/prune_command.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "snapshot/upkeep/prune.h"

namespace tsmfs::cli {

namespace {

// "5%" as 0.05; "unlimited" as 1.
double parse_max_unused(std::string_view text) {
  if (text == "unlimited") return 1;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  const std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || rest != "%" || !(percent >= 0) || percent > 100)
    throw UsageError(fmt::format("--max-unused {} is no share", text),
                     "give a percentage as in 5%, or unlimited");
  return percent / 100;
}

// Bytes, or the same below nothing.
std::string format_signed_bytes(int64_t bytes) {
  return bytes < 0 ? "-" + format_bytes(static_cast<uint64_t>(-bytes))
                   : format_bytes(static_cast<uint64_t>(bytes));
}

void print_details(std::ostream& out, const snapshot::PruneReport& report, bool dry_run) {
  fmt::print(out, "{} packs of {}: {} of it unused\n", report.packs, format_bytes(report.bytes),
             format_bytes(report.unused_bytes));
  fmt::print(out, "{} {} packs of {}\n", dry_run ? "would delete" : "deleted", report.dead_packs,
             format_bytes(report.dead_bytes));
  fmt::print(out, "{} {} packs of {} as {}\n", dry_run ? "would rewrite" : "rewrote",
             report.rewritten_packs, format_bytes(report.rewritten_bytes),
             format_bytes(report.written_bytes));
}

void print_report(Context& context, const snapshot::PruneReport& report, bool dry_run) {
  if (!context.quiet) print_details(context.out, report, dry_run);
  fmt::print(context.out, "{} {}\n", dry_run ? "would free about" : "freed",
             format_signed_bytes(report.freed_bytes()));
}

nlohmann::json to_json(const snapshot::PruneReport& report, bool dry_run) {
  return {{"dry_run", dry_run},
          {"files", report.files},
          {"packs", report.packs},
          {"bytes", report.bytes},
          {"unused_bytes", report.unused_bytes},
          {"deleted_packs", report.dead_packs},
          {"deleted_bytes", report.dead_bytes},
          {"rewritten_packs", report.rewritten_packs},
          {"rewritten_bytes", report.rewritten_bytes},
          {"written_bytes", report.written_bytes},
          {"freed_bytes", report.freed_bytes()}};
}

struct PruneArguments {
  index::RepositoryLocation repository;
  std::chrono::seconds lock_wait{0};
  PruneCommand prune;
};

ExitCode run(const PruneArguments& arguments, Context& context) {
  require_repository(arguments.repository);
  check_prune_options(arguments.prune);
  const auto repository =
      arguments.prune.dry_run
          ? index::Repository::open_reader({arguments.repository})
          : index::Repository::open_writer(
                {arguments.repository, {"prune", arguments.lock_wait, context.stop}});
  snapshot::Catalog catalog(repository->storage());
  return run_prune(*repository, catalog, arguments.prune, context);
}

}  // namespace

void add_prune_options(CLI::App& command, PruneCommand& prune) {
  command
      .add_option(
          "--max-unused", prune.max_unused,
          "Share of the packs that may stay unused;\nmore is rewritten; unlimited: rewrite none")
      ->type_name("PERCENT")
      ->capture_default_str();
  command.add_flag(
      "--accept-loss", prune.accept_loss,
      "Prune though parts of snapshots are lost;\nwhat only they lead to goes as well");
}

void check_prune_options(const PruneCommand& prune) {
  parse_max_unused(prune.max_unused);
}

ExitCode run_prune(index::Repository& repository, snapshot::Catalog& catalog,
                   const PruneCommand& command, Context& context) {
  snapshot::PruneOptions options;
  options.max_unused = parse_max_unused(command.max_unused);
  options.dry_run = command.dry_run;
  options.accept_loss = command.accept_loss;
  if (!command.json && !context.quiet)
    options.on_step = [&](const std::string& step) { fmt::print(context.err, "{}\n", step); };
  const auto report = snapshot::prune_repository(repository, catalog, options, context.stop);
  if (command.json)
    print_json(context.out, to_json(report, command.dry_run));
  else
    print_report(context, report, command.dry_run);
  return ExitCode::kOk;
}

void add_prune(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<PruneArguments>();
  CLI::App* sub = app.add_subcommand("prune", "Give back the space of what no snapshot needs");
  sub->footer(
      "\nExample:\n"
      "  tsmfs forget --repo /srv/tsmfs --keep-daily 7 --keep-weekly 5\n"
      "  tsmfs prune --repo /srv/tsmfs");
  add_repository_option(*sub, arguments->repository);
  add_lock_wait_option(*sub, arguments->lock_wait);
  add_prune_options(*sub, arguments->prune);
  sub->add_flag("--dry-run,-n", arguments->prune.dry_run, "Say what would go; change nothing");
  sub->add_flag("--json", arguments->prune.json, "Report as one JSON object");
  sub->callback([arguments, &context] {
    context.run = [arguments, &context] { return run(*arguments, context); };
  });
}

}  // namespace tsmfs::cli
