#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>

#include "cli/commands/command.h"
#include "cli/output/format.h"
#include "index/base/quote.h"
#include "index/base/visible.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/upkeep/tag_snapshots.h"

namespace tsmfs::cli {

namespace {

using snapshot::TagChange;

struct TagCommand {
  index::RepositoryLocation repository;
  std::chrono::seconds lock_wait{0};
  snapshot::TagRequest request;
};

void show_tags(const snapshot::TagReport& report, const snapshot::TagRequest& request,
               Context& context) {
  for (const auto& one : report.unchanged)
    print_message(
        context.err, "warning",
        fmt::format("snapshot {} {} the tag {}", one->short_id(),
                    request.change == TagChange::kRemove ? "does not have" : "has already",
                    quote(request.tag)));
  if (context.quiet) return;
  for (const auto& one : report.amended)
    fmt::print(context.out, "{}  {}\n", one->short_id(),
               visible(fmt::format("{}", fmt::join(one->tags, ","))));
}

ExitCode run_tag(const TagCommand& command, Context& context) {
  require_repository(command.repository);
  snapshot::checked_tags({command.request.tag});
  const auto repository = index::Repository::open_writer(
      {command.repository, {"tag", command.lock_wait, context.stop}});
  snapshot::Catalog catalog(repository->storage());
  const auto state = catalog.refresh();
  print_unreadable(context.err, *state);
  show_tags(snapshot::tag_snapshots(catalog, *state, command.request), command.request, context);
  return state->is_sound() ? ExitCode::kOk : ExitCode::kDamaged;
}

struct AcceptCommand {
  index::RepositoryLocation repository;
  std::chrono::seconds lock_wait{0};
  std::string shard;
  std::string snapshot;
};

ExitCode run_accept(const AcceptCommand& command, Context& context) {
  require_repository(command.repository);
  const snapshot::AcceptRequest request = {parse_shard_number(command.shard), command.snapshot};
  const auto repository = index::Repository::open_writer(
      {command.repository, {"tag", command.lock_wait, context.stop}});
  snapshot::Catalog catalog(repository->storage());
  const auto amended = snapshot::accept_missing_shard(catalog, *catalog.refresh(), request);
  if (context.quiet) return ExitCode::kOk;
  fmt::print(context.out, "{}  shard {} is accepted as missing{}\n", amended->short_id(),
             request.shard, amended->incomplete() ? "; the snapshot lacks more than that" : "");
  return ExitCode::kOk;
}

void add_accept(CLI::App& tag, Context& context) {
  auto command = std::make_shared<AcceptCommand>();
  CLI::App* sub = tag.add_subcommand("accept-missing", "Accept that a snapshot lacks a shard");
  sub->footer(
      "\nThe snapshot, and later ones of its server, no longer count as incomplete for\n"
      "that shard, as long as it is missing.");
  add_repository_option(*sub, command->repository);
  add_lock_wait_option(*sub, command->lock_wait);
  sub->add_option("SHARD", command->shard, "Its number, or DATABASE/POLICY/NUMBER")->required();
  sub->add_option("SNAPSHOT", command->snapshot, "An id, a time, or latest")->required();
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_accept(*command, context); };
  });
}

void add_change(CLI::App& tag, const char* name, const char* description, TagChange change,
                Context& context) {
  auto command = std::make_shared<TagCommand>();
  command->request.change = change;
  CLI::App* sub = tag.add_subcommand(name, description);
  add_repository_option(*sub, command->repository);
  add_lock_wait_option(*sub, command->lock_wait);
  sub->add_option("TAG", command->request.tag, "A word of your own; keep pins a snapshot")
      ->required();
  sub->add_option("SNAPSHOT", command->request.snapshots, "Ids, times, or latest")->required();
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_tag(*command, context); };
  });
}

}  // namespace

void add_tag(CLI::App& app, Context& context) {
  CLI::App* sub = app.add_subcommand("tag", "Give snapshots tags, or take them away");
  sub->require_subcommand(1);
  sub->footer(
      "\nA snapshot with the tag keep is pinned: forget leaves it alone.\n"
      "\nExample:\n  tsmfs tag add keep latest --repo /srv/tsmfs");
  add_change(*sub, "add", "Give snapshots a tag", TagChange::kAdd, context);
  add_change(*sub, "remove", "Take a tag from snapshots", TagChange::kRemove, context);
  add_accept(*sub, context);
}

}  // namespace tsmfs::cli
