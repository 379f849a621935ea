#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>

#include "cli/commands/command.h"
#include "cli/commands/created_repository.h"
#include "cli/commands/selection_options.h"
#include "cli/output/format.h"
#include "index/base/some_of.h"
#include "index/codec/frame_codec.h"
#include "index/repository/repository.h"
#include "snapshot/upkeep/copy_snapshots.h"

namespace tsmfs::cli {

namespace {

using snapshot::CopyOutcome;

constexpr size_t kLostNamedMax = 5;

struct CopyCommand {
  index::RepositoryLocation from, to;
  std::chrono::seconds lock_wait{0};
  snapshot::Selection selection;
  std::string compression;
};

void show_healed(const snapshot::CopiedSnapshot& one, Context& context) {
  if (!context.quiet)
    fmt::print(context.out, "{}  {}  had lost something, and is whole again\n",
               one.copy->short_id(), format_rfc3339(one.copy->time));
}

void show_copied(const snapshot::CopiedSnapshot& one, Context& context) {
  if (!context.quiet)
    fmt::print(context.out, "{}  {}  as {}; {} new\n", one.original->short_id(),
               format_rfc3339(one.original->time), one.copy->short_id(),
               format_bytes(one.copy->new_bytes));
  context.out.flush();
}

void show_snapshot(const snapshot::CopiedSnapshot& one, Context& context) {
  switch (one.outcome) {
    case CopyOutcome::kCopied:
      return show_copied(one, context);
    case CopyOutcome::kHealed:
      return show_healed(one, context);
    case CopyOutcome::kStillLossy:
      return print_message(context.err, "",
                           fmt::format("snapshot {} has lost something that cannot be copied: {}",
                                       one.copy->short_id(), some_of(one.lost, kLostNamedMax)));
    case CopyOutcome::kUnreadable:
      return fmt::print(context.err, "tsmfs: snapshot {} was not copied: {}\n",
                        one.original->short_id(), visible(one.lost.front()));
  }
}

void show_report(const snapshot::CopyReport& report, Context& context) {
  const size_t healed = report.count(CopyOutcome::kHealed);
  fmt::print(context.out, "{} snapshots copied, {} were there{}{}\n",
             report.count(CopyOutcome::kCopied), report.there,
             healed > 0 ? fmt::format(", {} healed", healed) : "",
             report.failed() > 0 ? fmt::format(", {} could not be read", report.failed()) : "");
  print_unreadable(context.err, *report.source, "; it was not copied");
}

ExitCode run_copy(const CopyCommand& command, Context& context) {
  snapshot::CopyRequest request;
  request.selection = command.selection;
  request.writer.compression = index::Compression::parse(command.compression);
  request.target = {command.to, {"copy", command.lock_wait, context.stop}};
  request.on_created = [&] { show_created(command.to, context); };
  request.on_snapshot = [&](const auto& one) { show_snapshot(one, context); };
  const auto source = index::Repository::open_reader({command.from});
  const auto report = snapshot::copy_snapshots(*source, request, context.stop);
  show_report(report, context);
  return report.complete() ? ExitCode::kOk : ExitCode::kDamaged;
}

}  // namespace

void add_copy(CLI::App& app, Context& context) {
  auto command = std::make_shared<CopyCommand>();
  CLI::App* sub = app.add_subcommand("copy", "Copy snapshots into another repository");
  sub->footer(
      "\nSnapshots that were copied before are left out: run it again and again for a\n"
      "second copy of everything. Every byte is checked on the way. What repair found\n"
      "lost of copies that are there comes back.\n"
      "\nExample:\n  tsmfs copy --from /srv/tsmfs --to /mnt/usb/tsmfs");
  add_location_option(*sub, "--from", command->from, "The repository to read")->required();
  add_location_option(*sub, "--to", command->to, "The repository to write; made when there is none")
      ->required();
  add_lock_wait_option(*sub, command->lock_wait);
  add_selection_options(*sub, command->selection);
  add_compression_option(*sub, command->compression);
  sub->add_option("SNAPSHOT", command->selection.names, "Ids, times, or latest; without any, all");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_copy(*command, context); };
  });
}

}  // namespace tsmfs::cli
