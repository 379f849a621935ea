#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/command.h"
#include "cli/output/format.h"
#include "index/repository/repository.h"
#include "snapshot/upkeep/repair.h"

namespace tsmfs::cli {

namespace {

struct RepairCommand {
  index::RepositoryLocation repository;
  std::chrono::seconds lock_wait{0};
  bool dry_run = false;
  bool json = false;
};

bool lost_something(const snapshot::RepairReport& report) {
  return report.lossy_files > 0 || !report.unreadable.empty() || !report.manifests.empty() ||
         !report.amendments.empty();
}

void print_report(const snapshot::RepairReport& report, bool dry_run, Context& context) {
  const char* const moved = dry_run ? "would move" : "moved";
  for (const std::string& what : report.manifests)
    fmt::print(context.out, "{}\n  {} it to quarantine/snapshots\n", visible(what), moved);
  for (const std::string& what : report.amendments)
    fmt::print(context.out, "{}\n  {} it to quarantine/amendments\n", visible(what), moved);
  for (const index::DamagedPack& pack : report.packs)
    fmt::print(context.out, "{}\n  {} it to quarantine/packs: {} saved, {} lost{}\n",
               visible(pack.what), moved, format_bytes(pack.salvage.saved_bytes),
               format_bytes(pack.salvage.lost_bytes),
               pack.salvage.tables_lost ? ", and what was cut off" : "");
  if (report.packs.empty() && !lost_something(report))
    fmt::print(context.out, "nothing is damaged\n");
  if (report.healed > 0)
    fmt::print(context.out, "{} files got bytes back that had been lost\n", report.healed);
  for (const std::string& what : report.unreadable) fmt::print(context.out, "{}\n", visible(what));
  if (report.lossy_files > 0)
    fmt::print(context.out,
               "{} files lack bytes: tsmfs check names them and their snapshots;\n"
               "a backup that brings the same content heals them\n",
               report.lossy_files);
}

nlohmann::json to_json(const snapshot::RepairReport& report, bool dry_run) {
  auto packs = nlohmann::json::array();
  for (const index::DamagedPack& pack : report.packs)
    packs.push_back({{"id", pack.id.hex()},
                     {"what", pack.what},
                     {"saved_bytes", pack.salvage.saved_bytes},
                     {"lost_bytes", pack.salvage.lost_bytes},
                     {"tables_lost", pack.salvage.tables_lost}});
  return {{"dry_run", dry_run},
          {"packs", packs},
          {"manifests", report.manifests},
          {"amendments", report.amendments},
          {"healed_files", report.healed},
          {"lossy_files", report.lossy_files},
          {"unreadable", report.unreadable}};
}

ExitCode run_repair(const RepairCommand& command, Context& context) {
  require_repository(command.repository);
  const auto repository = index::Repository::open_writer(
      {command.repository,
       {"repair", command.lock_wait, context.stop},
       command.dry_run ? index::Changes::kNone : index::Changes::kWanted});
  snapshot::RepairOptions options;
  options.dry_run = command.dry_run;
  if (!command.json && !context.quiet)
    options.on_step = [&](const std::string& step) { fmt::print(context.err, "{}\n", step); };
  const auto report = snapshot::repair_repository(*repository, options, context.stop);
  if (command.json)
    print_json(context.out, to_json(report, command.dry_run));
  else
    print_report(report, command.dry_run, context);
  const bool would_change = command.dry_run && !report.packs.empty();
  return lost_something(report) || would_change ? ExitCode::kDamaged : ExitCode::kOk;
}

}  // namespace

void add_repair(CLI::App& app, Context& context) {
  auto command = std::make_shared<RepairCommand>();
  CLI::App* sub = app.add_subcommand("repair", "Take damage out of the way, save what is good");
  sub->footer(
      "\nReads everything. Damaged packs, manifests and amendments go to quarantine/ in\n"
      "the repository; snapshots stay readable but for the bytes that are lost.\n"
      "\nExample:\n"
      "  tsmfs repair --repo /srv/tsmfs --dry-run");
  add_repository_option(*sub, command->repository);
  add_lock_wait_option(*sub, command->lock_wait);
  sub->add_flag("--dry-run,-n", command->dry_run, "Say what would be done; change nothing");
  sub->add_flag("--json", command->json, "Report as one JSON object");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_repair(*command, context); };
  });
}

}  // namespace tsmfs::cli
