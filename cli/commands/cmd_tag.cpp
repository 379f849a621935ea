#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/base/visible.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"

namespace tsmfs::cli {

namespace {

using Tags = std::vector<std::string>;

struct TagCommand {
  std::filesystem::path repository;
  std::chrono::seconds lock_wait{0};
  std::string tag;
  std::vector<std::string> snapshots;
};

enum class TagChange { kAdd, kRemove };

Tags changed(Tags tags, const TagCommand& command, TagChange change) {
  if (change == TagChange::kRemove)
    std::erase(tags, command.tag);
  else
    tags.push_back(command.tag);
  return snapshot::checked_tags(std::move(tags));
}

// A tag that nothing had is a typing error.
void require_tagged(const std::vector<snapshot::SnapshotPtr>& snapshots,
                    const TagCommand& command) {
  if (std::ranges::any_of(snapshots, [&](const auto& one) { return one->has_tag(command.tag); }))
    return;
  throw UsageError(fmt::format("{} the tag {}",
                               snapshots.size() == 1
                                   ? fmt::format("snapshot {} does not have", command.snapshots[0])
                                   : fmt::format("none of the {} snapshots has", snapshots.size()),
                               quote(command.tag)),
                   "tsmfs snapshots lists tags");
}

ExitCode run_tag(const TagCommand& command, TagChange change, Context& context) {
  require_repository(command.repository);
  snapshot::checked_tags({command.tag});
  const auto repository = index::Repository::open_writer(
      {command.repository, {"tag", command.lock_wait, context.stop}});
  snapshot::Catalog catalog(repository->storage());
  const auto state = catalog.refresh();
  print_unreadable(context.err, *state);
  std::vector<snapshot::SnapshotPtr> chosen;
  for (const std::string& name : command.snapshots) {
    const auto one = snapshot::find_snapshot(*state, name);
    if (std::ranges::find(chosen, one) == chosen.end()) chosen.push_back(one);
  }
  if (change == TagChange::kRemove) require_tagged(chosen, command);
  std::vector<snapshot::Manifest> amended;
  for (const auto& one : chosen) {
    snapshot::Manifest manifest = *one;
    manifest.tags = changed(one->tags, command, change);
    if (manifest.tags == one->tags) {
      print_message(context.err, "warning",
                    fmt::format("snapshot {} {} the tag {}", one->short_id(),
                                change == TagChange::kRemove ? "does not have" : "has already",
                                quote(command.tag)));
      continue;
    }
    amended.push_back(std::move(manifest));
  }
  for (const auto& one : catalog.amend(amended))
    if (!context.quiet)
      fmt::print(context.out, "{}  {}\n", one->short_id(),
                 visible(fmt::format("{}", fmt::join(one->tags, ","))));
  return state->is_sound() ? ExitCode::kOk : ExitCode::kDamaged;
}

struct AcceptCommand {
  std::filesystem::path repository;
  std::chrono::seconds lock_wait{0};
  std::string shard;
  std::string snapshot;
};

// Later snapshots of the server carry it on, as long as the shard is missing.
ExitCode run_accept(const AcceptCommand& command, Context& context) {
  require_repository(command.repository);
  const uint64_t shard = parse_shard_number(command.shard);
  const auto repository = index::Repository::open_writer(
      {command.repository, {"tag", command.lock_wait, context.stop}});
  snapshot::Catalog catalog(repository->storage());
  snapshot::Manifest manifest = *snapshot::find_snapshot(*catalog.refresh(), command.snapshot);
  if (!snapshot::accept_missing(manifest, shard))
    throw UsageError(fmt::format("snapshot {} misses no shard {}, or that is accepted already",
                                 manifest.short_id(), shard),
                     "tsmfs snapshots says what is missing");
  catalog.amend(manifest);
  if (context.quiet) return ExitCode::kOk;
  fmt::print(context.out, "{}  shard {} is accepted as missing{}\n", manifest.short_id(), shard,
             manifest.incomplete() ? "; the snapshot lacks more than that" : "");
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
  CLI::App* sub = tag.add_subcommand(name, description);
  add_repository_option(*sub, command->repository);
  add_lock_wait_option(*sub, command->lock_wait);
  sub->add_option("TAG", command->tag, "A word of your own; keep pins a snapshot")->required();
  sub->add_option("SNAPSHOT", command->snapshots, "Ids, times, or latest")->required();
  sub->callback([command, change, &context] {
    context.run = [command, change, &context] { return run_tag(*command, change, context); };
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
