#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>

#include "cli/commands/command.h"
#include "index/repository/repository.h"

namespace tsmfs::cli {

namespace {

struct RebuildCommand {
  index::RepositoryLocation repository;
  std::chrono::seconds lock_wait{0};
};

ExitCode run_rebuild_index(const RebuildCommand& command, Context& context) {
  require_repository(command.repository);
  const auto added = index::Repository::rebuild_lookup(
      {command.repository, {"rebuild-index", command.lock_wait, context.stop}});
  if (!context.quiet) fmt::print(context.out, "indexed {} packs\n", added.packs);
  if (added.damaged.empty()) return ExitCode::kOk;
  fmt::print(context.out, "{} packs are damaged: tsmfs check says what that means\n",
             added.damaged.size());
  return ExitCode::kDamaged;
}

}  // namespace

void add_rebuild_index(CLI::App& app, Context& context) {
  auto command = std::make_shared<RebuildCommand>();
  CLI::App* sub = app.add_subcommand("rebuild-index", "Make the index again from the packs");
  sub->footer("\nExample:\n  tsmfs rebuild-index --repo /srv/tsmfs");
  add_repository_option(*sub, command->repository);
  add_lock_wait_option(*sub, command->lock_wait);
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_rebuild_index(*command, context); };
  });
}

}  // namespace tsmfs::cli
