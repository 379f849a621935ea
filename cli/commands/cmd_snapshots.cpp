#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands/command.h"
#include "cli/commands/selection_options.h"
#include "cli/output/format.h"
#include "index/repository/repository.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/wholeness.h"
#include "snapshot/rehearse/rehearsal_record.h"

namespace tsmfs::cli {

namespace {

using Json = nlohmann::json;

struct SnapshotsCommand {
  index::RepositoryLocation repository;
  snapshot::Selection selection;
  bool as_json = false;
  bool all_problems = false;
};

using Rehearsals = std::map<index::SnapshotId, snapshot::RehearsalsOfSnapshot>;

snapshot::RehearsalsOfSnapshot rehearsals_of(const Rehearsals& all,
                                             const snapshot::Manifest& manifest) {
  const auto found = all.find(manifest.id);
  return found == all.end() ? snapshot::RehearsalsOfSnapshot() : found->second;
}

Json to_json(const snapshot::RehearsalRecord& rehearsed) {
  return {{"time", format_rfc3339_ns(rehearsed.time)},
          {"sound", rehearsed.verdict == snapshot::Verdict::kSound},
          {"complete", rehearsed.verdict != snapshot::Verdict::kIncomplete},
          {"influxd", rehearsed.influxd},
          {"extent", rehearsed.extent}};
}

Json to_json(const snapshot::Manifest& manifest, const snapshot::RehearsalsOfSnapshot& rehearsed) {
  Json json = {{"id", manifest.id.hex()},
               {"time", format_rfc3339_ns(manifest.time)},
               {"finished", format_rfc3339_ns(manifest.finished)},
               {"server", manifest.server},
               {"address", manifest.address},
               {"dialect", manifest.dialect},
               {"databases", manifest.databases},
               {"shards", manifest.shards},
               {"files", manifest.files},
               {"bytes", manifest.bytes},
               {"new_bytes", manifest.new_bytes},
               {"stored_bytes", manifest.stored_bytes},
               {"filter", manifest.filter.text()},
               {"partial", manifest.partial},
               {"incomplete", manifest.incomplete()},
               {"lacks", snapshot::lacks(manifest, {})},
               {"metastore_changed", manifest.metastore_changed},
               {"tags", manifest.tags},
               {"extent", extent_json(manifest)},
               {"problems", problems_json(manifest)}};
  if (rehearsed.whole) json["rehearsed"] = to_json(*rehearsed.whole);
  if (rehearsed.part) json["rehearsed_part"] = to_json(*rehearsed.part);
  return json;
}

void print_problems_of(const snapshot::Manifest& snapshot, bool all, std::ostream& out) {
  if (all) {
    for (const std::string& line : problem_lines(snapshot.problems))
      fmt::print(out, "          {}\n", line);
  } else if (snapshot.incomplete()) {
    fmt::print(out, "          INCOMPLETE; --problems says why\n");
  }
}

// What backups/latest of a mount shows of each server, where that is not all of its newest
// snapshot.
void print_latest(std::ostream& out, const std::vector<snapshot::SnapshotPtr>& snapshots) {
  std::map<std::string, std::vector<snapshot::SnapshotPtr>> servers;
  for (const auto& snapshot : snapshots) servers[snapshot->server].push_back(snapshot);
  for (const auto& [server, all] : servers) {
    const auto best = std::ranges::max_element(
        all.rbegin(), all.rend(), {}, [](const auto& one) { return snapshot::rank_of(*one); });
    const std::string lacking = snapshot::lacks_text(**best, {});
    if (best == all.rbegin() && lacking.empty()) continue;
    fmt::print(out, "{}: latest shows {} of {}, {}{}\n", visible(server), (*best)->short_id(),
               format_rfc3339((*best)->time), lacking.empty() ? "the newest whole one" : "which ",
               visible(lacking));
  }
}

// The problems of each server's last snapshot are those that something can be done about.
void print_table(std::ostream& out, const std::vector<snapshot::SnapshotPtr>& snapshots,
                 const Rehearsals& rehearsals, bool all_problems) {
  size_t server_width = 6;
  std::map<std::string, snapshot::SnapshotPtr> last;
  for (const auto& snapshot : snapshots) last[snapshot->server] = snapshot;
  for (const auto& snapshot : snapshots)
    server_width = std::max(server_width, visible(snapshot->server).size());
  fmt::print(out, "{:<8}  {:<20}  {:<{}}  {:>6}  {:>10}  {:>10}  {}\n", "id", "time", "server",
             server_width, "shards", "size", "added", "databases");
  for (const auto& snapshot : snapshots) {
    fmt::print(out, "{:<8}  {:<20}  {:<{}}  {:>6}  {:>10}  {:>10}  {}\n", snapshot->short_id(),
               format_rfc3339(snapshot->time), visible(snapshot->server), server_width,
               snapshot->shards, format_bytes(snapshot->bytes),
               format_bytes(snapshot->stored_bytes),
               visible(fmt::format("{}", fmt::join(snapshot->databases, ", "))));
    if (!snapshot->filter.is_everything() || snapshot->partial)
      fmt::print(out, "          {}{}\n",
                 snapshot->filter.is_everything() ? "only changes, without what they are changes to"
                                                  : visible(snapshot->filter.only_text()),
                 snapshot->partial ? ", partial" : "");
    if (snapshot->extent && snapshot->extent->came < snapshot->extent->named)
      fmt::print(out, "          has {} of the {} shards whole that the server had\n",
                 snapshot->extent->came, snapshot->extent->named);
    if (!snapshot->tags.empty())
      fmt::print(out, "          tags: {}\n",
                 visible(fmt::format("{}", fmt::join(snapshot->tags, ", "))));
    const auto rehearsed = rehearsals_of(rehearsals, *snapshot);
    for (const auto* one : {&rehearsed.whole, &rehearsed.part})
      if (*one) fmt::print(out, "          {}\n", visible(snapshot::describe(**one, now())));
    print_problems_of(*snapshot, last[snapshot->server] == snapshot || all_problems, out);
  }
  print_latest(out, snapshots);
  fmt::print(out, "{} snapshots\n", snapshots.size());
}

ExitCode run_snapshots(const SnapshotsCommand& command, Context& context) {
  require_repository(command.repository);
  const auto place = index::open_place(command.repository);
  snapshot::Catalog catalog(*place.storage);
  const auto state = catalog.refresh();
  const auto shown =
      snapshot::choose_snapshots(*state, command.selection.host, command.selection.tag);
  // A list may be empty; it should be no typing error.
  if (const std::string wrong = snapshot::empty_selection(shown, command.selection); !wrong.empty())
    print_message(context.err, "warning", wrong);
  const Rehearsals rehearsals = snapshot::read_rehearsals(place.local);
  if (command.as_json) {
    Json list = Json::array();
    for (const auto& snapshot : shown)
      list.push_back(to_json(*snapshot, rehearsals_of(rehearsals, *snapshot)));
    print_json(context.out, list, 1);
  } else {
    print_table(context.out, shown, rehearsals, command.all_problems);
  }
  print_unreadable(context.err, *state);
  return state->is_sound() ? ExitCode::kOk : ExitCode::kDamaged;
}

}  // namespace

void add_snapshots(CLI::App& app, Context& context) {
  auto command = std::make_shared<SnapshotsCommand>();
  CLI::App* sub =
      app.add_subcommand("snapshots", "List the snapshots of a repository, oldest first");
  sub->footer("\nExample:\n  tsmfs snapshots --repo /srv/tsmfs");
  add_repository_option(*sub, command->repository);
  add_selection_options(*sub, command->selection);
  sub->add_flag("--problems", command->all_problems,
                "The problems of all, not of each server's last");
  sub->add_flag("--json", command->as_json, "Print a JSON array");
  sub->callback([command, &context] {
    context.run = [command, &context] { return run_snapshots(*command, context); };
  });
}

}  // namespace tsmfs::cli
