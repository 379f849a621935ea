#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/command.h"
#include "cli/output/format.h"
#include "index/base/some_of.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/upkeep/check.h"

namespace tsmfs::cli {

namespace {

constexpr size_t kDamagesShown = 100;

struct CheckCommand {
  index::RepositoryLocation repository;
  bool read_data = false;
  std::string subset;
  bool tsm = false;
  bool json = false;
};

// What was read of the data, for a person.
std::string reading(const CheckCommand& command, const snapshot::CheckReport& report) {
  if (command.read_data) return "read";
  if (!command.subset.empty()) return fmt::format("looked up, {} packs read", report.packs_read);
  return "looked up; --read-data reads them";
}

size_t damages_shown_max(const CheckCommand& command, const Context& context) {
  return context.verbose || command.tsm ? SIZE_MAX : kDamagesShown;
}

void print_result(const CheckCommand& command, const snapshot::CheckReport& report,
                  const Context& context) {
  std::ostream& out = context.out;
  if (const size_t shown = damages_shown_max(command, context); report.damages > shown)
    fmt::print(out, "{}; --verbose names them all\n", and_more(report.damages - shown));
  fmt::print(out, "{} snapshots, {} packs, {} files of {} {}\n", report.snapshots, report.packs,
             report.files, format_bytes(report.bytes), reading(command, report));
  if (command.tsm) {
    fmt::print(out, "{} TSM files decoded", report.tsm_files);
    if (report.unsound_tsm > 0)
      fmt::print(out, ", {} of them such as influxd will not open", report.unsound_tsm);
    fmt::print(out, "\n");
  }
  if (report.damages == 0)
    fmt::print(out, "no damage found\n");
  else
    fmt::print(out, "{} damages found; docs/OPERATIONS.md says what to do\n", report.damages);
}

nlohmann::json to_json(const snapshot::CheckReport& report) {
  return {{"snapshots", report.snapshots},
          {"packs", report.packs},
          {"packs_read", report.packs_read},
          {"files", report.files},
          {"bytes", report.bytes},
          {"tsm_files", report.tsm_files},
          {"unsound_tsm", report.unsound_tsm},
          {"damages", report.damages}};
}

ExitCode run_check(const CheckCommand& command, Context& context) {
  require_repository(command.repository);
  snapshot::CheckOptions options;
  if (!command.subset.empty()) options.subset = snapshot::DataSubset::parse(command.subset);
  const auto repository = index::Repository::open_reader({command.repository});
  snapshot::Catalog catalog(repository->storage());
  options.read_data = command.read_data ? index::ReadData::kYes : index::ReadData::kNo;
  options.tsm = command.tsm;
  size_t shown = 0;
  options.on_damage = [&](const std::string& what) {
    if (command.json)
      print_json(context.out, {{"damage", what}});
    else if (++shown <= damages_shown_max(command, context))
      fmt::print(context.out, "damaged: {}\n", visible(what));
  };
  const auto report = snapshot::check_repository(*repository, catalog, options, context.stop);
  if (command.json)
    print_json(context.out, to_json(report));
  else if (!context.quiet || report.damages > 0)
    print_result(command, report, context);
  return report.damages == 0 ? ExitCode::kOk : ExitCode::kDamaged;
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto command = std::make_shared<CheckCommand>();
  CLI::App* sub = app.add_subcommand("check", "Verify that a repository is whole");
  sub->footer(
      "\nOf much damage the first hundred are named; --verbose names all of it.\n"
      "\nExample:\n  tsmfs check --repo /srv/tsmfs --read-data");
  add_repository_option(*sub, command->repository);
  auto* all =
      sub->add_flag("--read-data", command->read_data, "Read every byte and compare every digest");
  sub->add_option("--read-data-subset", command->subset,
                  "Read some packs: n/m, the n-th of m parts,\nor a percentage, chosen at random")
      ->type_name("PART")
      ->excludes(all);
  sub->add_flag("--tsm", command->tsm, "Decode every TSM file, index and CRCs");
  sub->add_flag("--json", command->json, "Print JSON, one object a line");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_check(*command, context); };
  });
}

}  // namespace tsmfs::cli
