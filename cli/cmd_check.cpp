#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>

#include "cli/command.h"
#include "cli/format.h"
#include "index/repository.h"
#include "snapshot/catalog.h"
#include "snapshot/check.h"

namespace tsmfs::cli {

namespace {

struct CheckCommand {
  std::filesystem::path repository;
  bool read_data = false;
};

ExitCode run_check(const CheckCommand& command, Context& context) {
  require_repository(command.repository);
  const auto repository = index::Repository::open_reader(command.repository);
  snapshot::Catalog catalog(repository->paths());
  snapshot::CheckOptions options;
  options.read_data = command.read_data ? index::ReadData::kYes : index::ReadData::kNo;
  options.on_damage = [&](const std::string& what) {
    fmt::print(context.out, "damaged: {}\n", what);
  };
  const auto report = snapshot::check_repository(*repository, catalog, options, context.stop);
  fmt::print(context.out, "{} snapshots, {} packs, {} files of {} {}\n", report.snapshots,
             report.packs, report.files, format_bytes(report.bytes),
             command.read_data ? "read" : "looked up; --read-data reads them");
  if (report.damages == 0) {
    fmt::print(context.out, "no damage found\n");
    return ExitCode::kOk;
  }
  fmt::print(context.out, "{} damages found\n", report.damages);
  return ExitCode::kDamaged;
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto command = std::make_shared<CheckCommand>();
  CLI::App* sub = app.add_subcommand("check", "Verify that a repository is whole");
  sub->footer("\nExample:\n  tsmfs check --repo /srv/tsmfs --read-data");
  add_repository_option(*sub, command->repository);
  sub->add_flag("--read-data", command->read_data, "Read every byte and compare every digest");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_check(*command, context); };
  });
}

}  // namespace tsmfs::cli
