#include <fmt/format.h>
#include <fmt/ostream.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/command.h"
#include "cli/commands/prune_command.h"
#include "cli/commands/selection_options.h"
#include "cli/output/format.h"
#include "index/base/error.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/wholeness.h"
#include "snapshot/upkeep/forget_snapshots.h"

namespace tsmfs::cli {

namespace {

using Json = nlohmann::json;
using snapshot::DecidedGroup;
using snapshot::Decision;
using snapshot::SnapshotPtr;

struct ForgetCommand {
  index::RepositoryLocation repository;
  std::chrono::seconds lock_wait{0};
  snapshot::ForgetRequest request;
  std::string within;
  bool dry_run = false;
  bool prune_too = false;
  PruneCommand prune;
};

// Why it stays, and what it lacks: "daily; lesser: lacks telegraf/autogen/7".
std::string remarks(const Decision& decision) {
  std::string text = fmt::format("{}", fmt::join(decision.reasons, ", "));
  if (decision.whole) return text;
  const std::string lack = snapshot::lacks_text(*decision.snapshot, decision.snapshot->filter);
  return fmt::format("{}{}lesser: {}", text, text.empty() ? "" : "; ",
                     lack.empty() ? "holds only " + decision.snapshot->filter.text() : lack);
}

using LostShards = std::vector<snapshot::ForgottenShard>;

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

void print_forgotten(const snapshot::ForgetResult& result, const ForgetCommand& command,
                     Context& context) {
  if (command.prune.json) {
    Json report = to_json(result.groups, command.dry_run);
    if (command.dry_run) report["lost_shards"] = lost_json(result.lost);
    print_json(context.out, report);
    return;
  }
  if (!context.quiet) print_table(context.out, result.groups, command.dry_run);
  print_lost_shards(result.lost, context.out);
  if (command.dry_run)
    fmt::print(context.out, "{} snapshots would be forgotten\n", result.going.size());
  else
    fmt::print(context.out, "{} snapshots forgotten{}\n", result.going.size(),
               command.prune_too ? "" : "; tsmfs prune gives back their space");
}

ExitCode run_forget(ForgetCommand& command, Context& context) {
  require_repository(command.repository);
  check_prune_options(command.prune);
  if (!command.within.empty()) command.request.policy.within = CalendarSpan::parse(command.within);
  const auto repository =
      command.dry_run ? index::Repository::open_reader({command.repository})
                      : index::Repository::open_writer(
                            {command.repository, {"forget", command.lock_wait, context.stop}});
  snapshot::Catalog catalog(repository->storage());
  const auto state = catalog.refresh();
  print_unreadable(context.err, *state, "; forget leaves it alone");
  const auto result = command.dry_run
                          ? snapshot::preview_forget(*repository, *state, command.request)
                          : snapshot::forget_snapshots(catalog, *state, command.request);
  print_forgotten(result, command, context);
  if (command.prune_too && command.dry_run && !context.quiet)
    print_message(context.err, "note",
                  "what a prune would give back shows when the snapshots are gone: nothing was "
                  "pruned");
  if (!command.prune_too || command.dry_run)
    return state->is_sound() ? ExitCode::kOk : ExitCode::kDamaged;
  return run_prune(*repository, catalog, command.prune, context);
}

void add_policy_options(CLI::App& sub, ForgetCommand& command) {
  snapshot::RetentionPolicy& policy = command.request.policy;
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
  sub->add_option("--group-by", command->request.group_by,
                  "Apply the policy to each host, database;\n'': to all together")
      ->type_name("WORDS")
      ->capture_default_str();
  add_selection_options(*sub, command->request.selection);
  sub->add_flag("--unsafe-allow-remove-all", command->request.allow_remove_all,
                "Let a policy remove all snapshots of a group");
  sub->add_flag("--allow-last", command->request.allow_last,
                "By name: also the last whole one of a database");
  sub->add_flag("--dry-run,-n", command->dry_run, "Say what would go and why; change nothing");
  sub->add_flag("--prune", command->prune_too, "Then prune");
  add_prune_options(*sub, command->prune);
  for (const char* of_prune : {"--max-unused", "--accept-loss"})
    sub->get_option(of_prune)->needs("--prune");
  sub->add_flag("--json", command->prune.json, "Report as JSON, one object a line");
  sub->add_option("SNAPSHOT", command->request.selection.names,
                  "Ids or times, instead of a policy");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_forget(*command, context); };
  });
}

}  // namespace tsmfs::cli
