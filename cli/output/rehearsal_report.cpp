#include "cli/output/rehearsal_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output/format.h"
#include "index/base/some_of.h"
#include "index/base/timestamp.h"

namespace tsmfs::cli {

namespace {

constexpr size_t kDifferencesShownMax = 20;

std::string_view verdict_of(const RehearsalOutcome& outcome) {
  return outcome.unfinished.empty() ? snapshot::verdict_text(outcome.verdict()) : "NOT rehearsed";
}

nlohmann::json to_json(const std::vector<snapshot::Difference>& differences) {
  nlohmann::json json = nlohmann::json::array();
  for (const auto& one : differences)
    json.push_back({{"database", one.database},
                    {"policy", one.policy},
                    {"measurement", one.measurement},
                    {"field", one.field},
                    {"what", one.what},
                    {"stored", one.stored},
                    {"answered", one.answered}});
  return json;
}

void print_differences(std::ostream& out, const std::vector<snapshot::Difference>& differences) {
  for (size_t i = 0; i < std::min(differences.size(), kDifferencesShownMax); ++i)
    fmt::print(out, "  {}\n", snapshot::describe(differences[i]));
  if (differences.size() > kDifferencesShownMax)
    fmt::print(out, "  {}\n", and_more(differences.size() - kDifferencesShownMax));
}

void print_live(std::ostream& out, std::ostream& err, const RehearsalOutcome& outcome) {
  if (!outcome.live_failure.empty()) {
    print_message(err, "", "nothing was compared with the live server: " + outcome.live_failure);
    return;
  }
  if (!outcome.live) return;
  const auto& [shards, differences] = *outcome.live;
  print_differences(out, differences);
  fmt::print(out, "{} shards beside the live server: {}\n", shards,
             differences.empty() ? "the same there"
                                 : fmt::format("{} figures differ there", differences.size()));
}

}  // namespace

void print_rehearsal_json(std::ostream& out, const RehearsalOutcome& outcome) {
  const auto& found = outcome.rehearsal;
  const bool finished = outcome.unfinished.empty();
  nlohmann::json problems = nlohmann::json::array();
  for (const auto& problem : outcome.problems)
    problems.push_back({{"path", problem.path}, {"what", problem.what}});
  nlohmann::json json = {{"id", outcome.snapshot->id.hex()},
                         {"server", outcome.snapshot->server},
                         {"time", format_rfc3339_ns(outcome.snapshot->time)},
                         {"influxd", outcome.influxd},
                         {"extent", outcome.extent},
                         {"finished", finished},
                         {"sound", finished && outcome.verdict() == snapshot::Verdict::kSound},
                         {"complete", outcome.complete},
                         {"databases", found.databases},
                         {"policies", found.policies},
                         {"shards", found.shards},
                         {"measurements", found.measurements},
                         {"fields", found.fields},
                         {"series", found.series},
                         {"points", found.points},
                         {"seconds", outcome.seconds},
                         {"differences", to_json(found.differences)},
                         {"problems", problems},
                         {"unasked", found.unasked},
                         {"warnings", outcome.warnings}};
  if (outcome.live) {
    json["compared_shards"] = outcome.live->shards;
    json["live_differences"] = to_json(outcome.live->differences);
  }
  if (!outcome.live_failure.empty()) json["live_error"] = outcome.live_failure;
  const std::string& error = finished ? outcome.failure : outcome.unfinished;
  if (!error.empty()) json["error"] = error;
  print_json(out, json);
}

void print_rehearsal(std::ostream& out, std::ostream& err, const RehearsalOutcome& outcome) {
  const auto& found = outcome.rehearsal;
  for (const std::string& warning : outcome.warnings) print_message(err, "warning", warning);
  for (const std::string& name : found.unasked)
    print_message(err, "warning", "not compared: " + name);
  const std::string whose =
      fmt::format("{} of {}, {}", outcome.snapshot->short_id(), visible(outcome.snapshot->server),
                  format_rfc3339(outcome.snapshot->time));
  const std::string& error = outcome.unfinished.empty() ? outcome.failure : outcome.unfinished;
  if (!error.empty()) {
    print_message(err, "", error);
    fmt::print(out, "{}: {}{}\n", whose, verdict_of(outcome),
               outcome.unfinished.empty() ? ": it could not be asked" : "");
    return;
  }
  print_differences(out, found.differences);
  for (const auto& problem : outcome.problems)
    print_message(err, "", fmt::format("{} {}", problem.path, problem.what));
  const std::string agreement =
      found.differences.empty() ? "as stored"
                                : fmt::format("{} otherwise than stored", found.differences.size());
  fmt::print(out,
             "{}: {}: influxd {} answers {} points of {} fields in {} measurements and {} shards, "
             "{} ({:.1f} s)\n",
             whose, verdict_of(outcome), outcome.influxd, found.points, found.fields,
             found.measurements, found.shards, agreement, outcome.seconds);
  print_live(out, err, outcome);
}

}  // namespace tsmfs::cli
