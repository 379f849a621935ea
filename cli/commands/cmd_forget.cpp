#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/commands/prune_command.h"
#include "cli/commands/selection.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/wholeness.h"
#include "snapshot/upkeep/forgotten_shards.h"
#include "snapshot/upkeep/retention.h"

namespace tsmfs::cli {

namespace {

using Json = nlohmann::json;
using snapshot::Decision;
using snapshot::SnapshotPtr;

constexpr const char* kGroupByDefault = "host,database";

struct ForgetCommand {
  std::filesystem::path repository;
  std::chrono::seconds lock_wait{0};
  snapshot::RetentionPolicy policy;
  std::string within;
  std::string group_by = kGroupByDefault;
  Selection selection;
  bool allow_remove_all = false;
  bool allow_last = false;
  bool dry_run = false;
  bool prune_too = false;
  PruneCommand prune;
};

struct DecidedGroup {
  std::string name;
  std::vector<Decision> decisions;  // newest first
};

std::vector<SnapshotPtr> going_of(const std::vector<DecidedGroup>& groups) {
  std::vector<SnapshotPtr> going;
  for (const DecidedGroup& group : groups)
    for (const Decision& decision : group.decisions)
      if (!decision.keeps()) going.push_back(decision.snapshot);
  return going;
}

void require_none_last(const snapshot::CatalogState& state, const std::vector<SnapshotPtr>& going) {
  const auto last = snapshot::last_whole_among(state, going);
  if (last.empty()) return;
  const snapshot::Manifest& one = *last.front().snapshot;
  throw UsageError(
      fmt::format("snapshot {} of {} is the last one that holds database {} of server {} whole; "
                  "nothing was forgotten",
                  one.short_id(), format_rfc3339(one.time), quote(last.front().database),
                  quote(one.server)),
      "--allow-last lets it go");
}

// Snapshots named one by one go, unless they are pinned.
DecidedGroup decide_named(const ForgetCommand& command, const snapshot::CatalogState& state) {
  DecidedGroup group{"as named", {}};
  for (const SnapshotPtr& snapshot : select_snapshots(state, command.selection)) {
    if (snapshot->is_pinned())
      throw UsageError(
          fmt::format("snapshot {} is pinned; nothing was forgotten", snapshot->short_id()),
          fmt::format("tsmfs tag remove {} {} unpins it", snapshot::kPinTag, snapshot->short_id()));
    group.decisions.push_back({snapshot, {}, snapshot::is_whole(*snapshot)});
  }
  if (!command.allow_last) require_none_last(state, going_of({group}));
  return group;
}

// Whole snapshots that nothing could take the place of stay, whatever the policy says.
void keep_last_whole(const snapshot::CatalogState& state, std::vector<DecidedGroup>& groups) {
  for (const auto& last : snapshot::last_whole_among(state, going_of(groups)))
    for (DecidedGroup& group : groups)
      for (Decision& decision : group.decisions)
        if (decision.snapshot->id == last.snapshot->id)
          decision.reasons.push_back("last whole of " + last.database);
}

std::vector<DecidedGroup> decide_by_policy(const ForgetCommand& command,
                                           const snapshot::CatalogState& state) {
  const auto concerned = select_snapshots(state, command.selection);
  std::vector<DecidedGroup> groups;
  for (auto& group : snapshot::group(concerned, snapshot::Grouping::parse(command.group_by))) {
    DecidedGroup decided{group.name, snapshot::decide(group.snapshots, command.policy)};
    if (std::ranges::none_of(decided.decisions, &Decision::keeps) && !command.allow_remove_all)
      throw UsageError(
          fmt::format("this policy keeps no snapshot of {}; nothing was forgotten", group.name),
          "add --keep-last 1, or allow it with --unsafe-allow-remove-all");
    groups.push_back(std::move(decided));
  }
  if (!command.allow_remove_all) keep_last_whole(state, groups);
  return groups;
}

std::vector<DecidedGroup> decide(const ForgetCommand& command,
                                 const snapshot::CatalogState& state) {
  if (!command.selection.names.empty() && !command.policy.is_empty())
    throw UsageError("snapshots by name and --keep rules do not go together");
  if (command.allow_last && command.selection.names.empty())
    throw UsageError("--allow-last goes with snapshots by name",
                     "a policy keeps the last whole snapshot of each database");
  if (command.allow_remove_all && !command.selection.names.empty())
    throw UsageError("--unsafe-allow-remove-all is for a policy",
                     "by name, --allow-last lets the last whole snapshot go");
  if (command.group_by != kGroupByDefault && !command.selection.names.empty())
    throw UsageError("--group-by is for a policy", "leave it out with snapshots by name");
  if (!command.selection.names.empty()) return {decide_named(command, state)};
  if (command.policy.is_empty())
    throw UsageError("forget needs --keep rules, or snapshots to forget",
                     "see tsmfs forget --help");
  return decide_by_policy(command, state);
}

// Why it stays, and what it lacks: "daily; lesser: lacks telegraf/autogen/7".
std::string remarks(const Decision& decision) {
  std::string text = fmt::format("{}", fmt::join(decision.reasons, ", "));
  if (decision.whole) return text;
  const std::string lack = snapshot::lacks_text(*decision.snapshot, decision.snapshot->filter);
  return fmt::format("{}{}lesser: {}", text, text.empty() ? "" : "; ",
                     lack.empty() ? "holds only " + decision.snapshot->filter.text() : lack);
}

using LostShards = std::vector<snapshot::ForgottenShard>;

// What will be gone for good: a shard that the server dropped is meant to go.
LostShards lost_shards(const ForgetCommand& command, const snapshot::CatalogState& state,
                       const std::vector<SnapshotPtr>& going) {
  const auto repository = index::Repository::open_reader(command.repository);
  return snapshot::shards_only_in(repository->objects(), state, going);
}

void print_lost_shards(const LostShards& shards, std::ostream& out) {
  for (const auto& shard : shards)
    fmt::print(
        out, "  {} of server {} ({}) would be in no snapshot any more; {}\n",
        visible(shard.path.text()), visible(shard.server), format_bytes(shard.bytes),
        shard.server_has ? "THE SERVER NAMES IT, AND LACKS IT" : "the server has dropped it");
}

Json lost_json(const LostShards& shards) {
  Json list = Json::array();
  for (const auto& shard : shards)
    list.push_back({{"shard", shard.path.text()},
                    {"server", shard.server},
                    {"bytes", shard.bytes},
                    {"server_names_it", shard.server_has}});
  return list;
}

void print_table(std::ostream& out, const std::vector<DecidedGroup>& groups, bool dry_run) {
  for (const DecidedGroup& group : groups) {
    fmt::print(out, "{}\n", visible(group.name));
    for (const Decision& decision : group.decisions)
      fmt::print(out, "  {}  {}  {:<6}  {}\n", decision.snapshot->short_id(),
                 format_rfc3339(decision.snapshot->time),
                 decision.keeps() ? "keep"
                 : dry_run        ? "would go"
                                  : "forget",
                 visible(remarks(decision)));
  }
}

Json to_json(const std::vector<DecidedGroup>& groups, bool dry_run) {
  Json list = Json::array();
  for (const DecidedGroup& group : groups) {
    Json keep = Json::array(), remove = Json::array();
    for (const Decision& decision : group.decisions) {
      Json one = {{"id", decision.snapshot->id.hex()},
                  {"time", format_rfc3339_ns(decision.snapshot->time)}};
      if (decision.keeps()) one["reasons"] = decision.reasons;
      one["whole"] = decision.whole;
      (decision.keeps() ? keep : remove).push_back(std::move(one));
    }
    list.push_back({{"group", group.name}, {"keep", keep}, {"forget", remove}});
  }
  return {{"dry_run", dry_run}, {"groups", list}};
}

ExitCode run_forget(ForgetCommand& command, Context& context) {
  require_repository(command.repository);
  check_prune_options(command.prune);
  if (!command.within.empty()) command.policy.within = CalendarSpan::parse(command.within);
  std::unique_ptr<index::Repository> repository;
  if (!command.dry_run)
    repository = index::Repository::open_writer(command.repository,
                                                {"forget", command.lock_wait, context.stop});
  const auto storage = index::open_storage(command.repository);
  snapshot::Catalog catalog(*storage);
  const auto state = catalog.refresh();
  for (const auto& damaged : state->damaged)
    print_message(context.err, "", damaged + "; forget leaves it alone");
  const auto groups = decide(command, *state);
  const std::vector<SnapshotPtr> going = going_of(groups);
  const LostShards lost = command.dry_run ? lost_shards(command, *state, going) : LostShards();
  if (command.prune.json) {
    Json report = to_json(groups, command.dry_run);
    if (command.dry_run) report["lost_shards"] = lost_json(lost);
    print_json(context.out, report);
  } else if (!context.quiet) {
    print_table(context.out, groups, command.dry_run);
  }
  if (!command.dry_run) catalog.remove(going);
  if (!command.prune.json) print_lost_shards(lost, context.out);
  if (!command.prune.json && command.dry_run)
    fmt::print(context.out, "{} snapshots would be forgotten\n", going.size());
  else if (!command.prune.json)
    fmt::print(context.out, "{} snapshots forgotten{}\n", going.size(),
               command.prune_too ? "" : "; tsmfs prune gives back their space");
  if (command.prune_too && command.dry_run && !context.quiet)
    print_message(context.err, "note",
                  "what a prune would give back shows when the snapshots are gone: nothing was "
                  "pruned");
  if (!command.prune_too || command.dry_run)
    return state->damaged.empty() ? ExitCode::kOk : ExitCode::kDamaged;
  return run_prune(*repository, catalog, command.prune, context);
}

void add_policy_options(CLI::App& sub, ForgetCommand& command) {
  snapshot::RetentionPolicy& policy = command.policy;
  sub.add_option("--keep-last", policy.last, "Keep the newest N")->type_name("N");
  sub.add_option("--keep-hourly", policy.hourly, "Keep the newest of each of N hours")
      ->type_name("N");
  sub.add_option("--keep-daily", policy.daily, "Of each of N days")->type_name("N");
  sub.add_option("--keep-weekly", policy.weekly, "Of each of N weeks, from Monday")->type_name("N");
  sub.add_option("--keep-monthly", policy.monthly, "Of each of N months")->type_name("N");
  sub.add_option("--keep-yearly", policy.yearly, "Of each of N years")->type_name("N");
  sub.add_option("--keep-within", command.within,
                 "Keep all of this time back from the newest one:\n2y5m7d3h, 3w")
      ->type_name("DURATION");
  sub.add_option("--keep-tag", policy.tags, "Keep those with this tag; may be repeated")
      ->type_name("TAG")
      ->allow_extra_args(false);
}

}  // namespace

void add_forget(CLI::App& app, Context& context) {
  auto command = std::make_shared<ForgetCommand>();
  CLI::App* sub = app.add_subcommand("forget", "Remove snapshots by a policy, or by name");
  sub->footer(
      "\nA snapshot stays when any rule keeps it, or when it has the tag keep. One that\n"
      "lacks something never takes the place of a whole one, and the last whole one\n"
      "of a database stays. Times are UTC. Space comes back with tsmfs prune.\n"
      "\nExample:\n"
      "  tsmfs forget --repo /srv/tsmfs --keep-daily 7 --keep-weekly 5 --dry-run");
  add_repository_option(*sub, command->repository);
  add_lock_wait_option(*sub, command->lock_wait);
  add_policy_options(*sub, *command);
  sub->add_option("--group-by", command->group_by,
                  "Apply the policy to each host, database;\n'': to all together")
      ->type_name("WORDS")
      ->capture_default_str();
  add_selection_options(*sub, command->selection);
  sub->add_flag("--unsafe-allow-remove-all", command->allow_remove_all,
                "Let a policy remove all snapshots of a group");
  sub->add_flag("--allow-last", command->allow_last,
                "By name: also the last whole one of a database");
  sub->add_flag("--dry-run,-n", command->dry_run, "Say what would go and why; change nothing");
  sub->add_flag("--prune", command->prune_too, "Then prune");
  add_prune_options(*sub, command->prune);
  for (const char* of_prune : {"--max-unused", "--accept-loss"})
    sub->get_option(of_prune)->needs("--prune");
  sub->add_flag("--json", command->prune.json, "Report as JSON, one object a line");
  sub->add_option("SNAPSHOT", command->selection.names, "Ids or times, instead of a policy");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_forget(*command, context); };
  });
}

}  // namespace tsmfs::cli
