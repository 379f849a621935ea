#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>

#include "cli/command.h"
#include "cli/commands/open_or_create.h"
#include "cli/commands/selection_options.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/base/some_of.h"
#include "index/pack/frame_codec.h"
#include "index/repository/repository_writer.h"
#include "snapshot/model/catalog.h"
#include "snapshot/upkeep/copier.h"

namespace tsmfs::cli {

namespace {

using snapshot::SnapshotPtr;

constexpr size_t kLostNamedMax = 5;

struct CopyCommand {
  std::filesystem::path from, to;
  std::chrono::seconds lock_wait{0};
  snapshot::Selection selection;
  std::string compression = std::to_string(index::Compression::kLevelDefault);
};

struct CopyReport {
  size_t copied = 0, there = 0, healed = 0, failed = 0;
};

// Gives a copy that lost something that back.
void heal(const snapshot::Manifest& one, const snapshot::Manifest& there, snapshot::Copier& copier,
          CopyReport& report, Context& context) {
  const std::vector<std::string> lost = copier.heal(one, there);
  if (lost.empty()) {
    ++report.healed;
    if (!context.quiet)
      fmt::print(context.out, "{}  {}  had lost something, and is whole again\n", there.short_id(),
                 format_rfc3339(there.time));
    return;
  }
  ++report.failed;
  print_message(context.err, "",
                fmt::format("snapshot {} has lost something that cannot be copied: {}",
                            there.short_id(), some_of(lost, kLostNamedMax)));
}

void copy_one(const SnapshotPtr& one, snapshot::Copier& copier, CopyReport& report,
              Context& context) {
  try {
    const SnapshotPtr made = copier.copy(*one);
    ++report.copied;
    if (!context.quiet)
      fmt::print(context.out, "{}  {}  as {}; {} new\n", one->short_id(), format_rfc3339(one->time),
                 made->short_id(), format_bytes(made->new_bytes));
    context.out.flush();
  } catch (const CorruptError& error) {
    ++report.failed;
    fmt::print(context.err, "tsmfs: snapshot {} was not copied: {}\n", one->short_id(),
               visible(error.what()));
  }
}

// Copies what is missing, and gives copies that are there what they lost.
CopyReport copy_all(const std::vector<SnapshotPtr>& snapshots, snapshot::Copier& copier,
                    Context& context) {
  CopyReport report;
  SnapshotPtr last, last_copy;  // the newest pair that is not learned yet
  for (const SnapshotPtr& one : snapshots) {
    if (const SnapshotPtr there = copier.find_copy(*one)) {
      ++report.there;
      if (!copier.is_whole(*there)) heal(*one, *there, copier, report, context);
      last = one;
      last_copy = there;
      continue;
    }
    if (last) copier.learn(*last, *last_copy);
    last.reset();
    copy_one(one, copier, report, context);
  }
  fmt::print(context.out, "{} snapshots copied, {} were there{}{}\n", report.copied, report.there,
             report.healed > 0 ? fmt::format(", {} healed", report.healed) : "",
             report.failed > 0 ? fmt::format(", {} could not be read", report.failed) : "");
  return report;
}

ExitCode run_copy(const CopyCommand& command, Context& context) {
  const index::WriterOptions writer_options{index::Compression::parse(command.compression)};
  const auto source = index::Repository::open_reader({command.from});
  snapshot::Catalog source_catalog(source->storage());
  const auto state = source_catalog.refresh();
  // Oldest first, so that parents come before their children.
  const auto snapshots = snapshot::select_snapshots(*state, command.selection);
  const auto target = open_or_create({command.to, {"copy", command.lock_wait, context.stop}},
                                     context.quiet ? nullptr : &context.err);
  if (target->config().id == source->config().id)
    throw UsageError("--from and --to are one repository, or one is a plain copy of the other");
  index::RepositoryWriter writer(*target, writer_options);
  snapshot::Catalog catalog(target->storage());
  catalog.refresh();
  snapshot::Copier copier(*source, *target, writer, catalog, context.stop);
  const CopyReport report = copy_all(snapshots, copier, context);
  print_unreadable(context.err, *state, "; it was not copied");
  return report.failed == 0 && state->is_sound() ? ExitCode::kOk : ExitCode::kDamaged;
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
  sub->add_option("--from", command->from, "The repository to read")->type_name("DIR")->required();
  sub->add_option("--to", command->to, "The repository to write; made when there is none")
      ->type_name("DIR")
      ->required();
  add_lock_wait_option(*sub, command->lock_wait);
  add_selection_options(*sub, command->selection);
  sub->add_option("--compression", command->compression, "none, fast, or a zstd level from 1 to 19")
      ->capture_default_str();
  sub->add_option("SNAPSHOT", command->selection.names, "Ids, times, or latest; without any, all");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_copy(*command, context); };
  });
}

}  // namespace tsmfs::cli
