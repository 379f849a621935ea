#include "cli/output/rehearsal_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/output/format.h"
#include "index/base/timestamp.h"

namespace tsmfs::cli {

namespace {

constexpr size_t kDifferencesShownMax = 20;

}  // namespace

std::vector<snapshot::Difference> RehearsalOutcome::differences() const {
  auto all = rehearsal.differences;
  if (live) all.insert(all.end(), live->differences.begin(), live->differences.end());
  return all;
}

bool RehearsalOutcome::sound() const {
  return error.empty() && problems.empty() && rehearsal.differences.empty() &&
         (!live || live->differences.empty());
}

void print_rehearsal_json(std::ostream& out, const RehearsalOutcome& outcome) {
  const auto& found = outcome.rehearsal;
  nlohmann::json differences = nlohmann::json::array(), problems = nlohmann::json::array();
  for (const auto& one : outcome.differences())
    differences.push_back({{"database", one.database},
                           {"policy", one.policy},
                           {"measurement", one.measurement},
                           {"field", one.field},
                           {"what", one.what},
                           {"stored", one.stored},
                           {"answered", one.answered}});
  for (const auto& problem : outcome.problems)
    problems.push_back({{"path", problem.path}, {"what", problem.what}});
  nlohmann::json json = {{"id", outcome.snapshot->id.hex()},
                         {"server", outcome.snapshot->server},
                         {"time", format_rfc3339_ns(outcome.snapshot->time)},
                         {"influxd", outcome.influxd},
                         {"sound", outcome.sound()},
                         {"databases", found.databases},
                         {"policies", found.policies},
                         {"shards", found.shards},
                         {"measurements", found.measurements},
                         {"fields", found.fields},
                         {"series", found.series},
                         {"points", found.points},
                         {"seconds", outcome.seconds},
                         {"differences", differences},
                         {"problems", problems}};
  if (outcome.live) json["compared_shards"] = outcome.live->shards;
  if (!outcome.error.empty()) json["error"] = outcome.error;
  print_json(out, json);
}

void print_rehearsal(std::ostream& out, std::ostream& err, const RehearsalOutcome& outcome) {
  const auto& found = outcome.rehearsal;
  const std::string whose =
      fmt::format("{} of {}, {}", outcome.snapshot->short_id(), visible(outcome.snapshot->server),
                  format_rfc3339(outcome.snapshot->time));
  if (!outcome.error.empty()) {
    print_message(err, "", outcome.error);
    fmt::print(out, "{}: NOT sound: it could not be rehearsed\n", whose);
    return;
  }
  const auto differences = outcome.differences();
  for (size_t i = 0; i < std::min(differences.size(), kDifferencesShownMax); ++i)
    fmt::print(out, "  {}\n", snapshot::describe(differences[i]));
  if (differences.size() > kDifferencesShownMax)
    fmt::print(out, "  and {} more\n", differences.size() - kDifferencesShownMax);
  for (const auto& problem : outcome.problems)
    print_message(err, "", fmt::format("{} {}", problem.path, problem.what));
  const std::string live =
      outcome.live ? fmt::format(", {} of them beside the live server", outcome.live->shards) : "";
  const std::string agreement = differences.empty()
                                    ? "as stored"
                                    : fmt::format("{} otherwise than stored", differences.size());
  fmt::print(
      out,
      "{}: {}: influxd {} answers {} points of {} fields in {} measurements and {} shards{}, "
      "{} ({:.1f} s)\n",
      whose, outcome.sound() ? "sound" : "NOT sound", outcome.influxd, found.points, found.fields,
      found.measurements, found.shards, live, agreement, outcome.seconds);
}

}  // namespace tsmfs::cli
