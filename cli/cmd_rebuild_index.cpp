#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>

#include "cli/command.h"
#include "index/repository.h"

namespace tsmfs::cli {

namespace {

ExitCode run_rebuild_index(const std::filesystem::path& repository, Context& context) {
  require_repository(repository);
  const auto added = index::Repository::rebuild_index(repository);
  fmt::print(context.out, "indexed {} packs\n", added.packs);
  if (added.damaged.empty()) return ExitCode::kOk;
  fmt::print(context.out, "{} packs are damaged: tsmfs check says what that means\n",
             added.damaged.size());
  return ExitCode::kDamaged;
}

}  // namespace

void add_rebuild_index(CLI::App& app, Context& context) {
  auto repository = std::make_shared<std::filesystem::path>();
  CLI::App* sub = app.add_subcommand("rebuild-index", "Make the index again from the packs");
  sub->footer("\nExample:\n  tsmfs rebuild-index --repo /srv/tsmfs");
  add_repository_option(*sub, *repository);
  sub->callback([repository, &context] {
    context.run = [repository, &context] { return run_rebuild_index(*repository, context); };
  });
}

}  // namespace tsmfs::cli
