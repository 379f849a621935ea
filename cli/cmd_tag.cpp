#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <memory>

#include "cli/command.h"
#include "index/base/error.h"
#include "index/base/visible.h"
#include "index/repository.h"
#include "snapshot/catalog.h"

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

ExitCode run_tag(const TagCommand& command, TagChange change, Context& context) {
  require_repository(command.repository);
  snapshot::checked_tags({command.tag});
  const auto repository =
      index::Repository::open_writer(command.repository, {"tag", command.lock_wait, context.stop});
  snapshot::Catalog catalog(repository->paths());
  const auto state = catalog.refresh();
  std::vector<snapshot::SnapshotPtr> chosen;
  for (const std::string& name : command.snapshots)
    chosen.push_back(snapshot::find_snapshot(*state, name));
  for (const auto& one : chosen) {
    snapshot::Manifest manifest = *one;
    manifest.tags = changed(one->tags, command, change);
    if (manifest.tags == one->tags) continue;
    catalog.replace(manifest);
    fmt::print(context.out, "{}  {}\n", one->short_id(),
               visible(fmt::format("{}", fmt::join(manifest.tags, ","))));
  }
  return ExitCode::kOk;
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
}

}  // namespace tsmfs::cli
