#include "cli/output/format.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "index/base/some_of.h"

namespace tsmfs::cli {

namespace {

constexpr size_t kAlikeShown = 3;

// Digits, and what stands between quotes: names of files, say.
std::string without_numbers(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (const char c : text) {
    if (c == '\'') quoted = !quoted;
    if (!quoted && (c < '0' || c > '9')) out += c;
  }
  return out;
}

std::string problem_line(const snapshot::Problem& problem) {
  return visible(fmt::format(
      "{}: {}{}{}",
      problem.severity == snapshot::Problem::Severity::kIncomplete ? "INCOMPLETE" : "warning",
      problem.path, problem.path.empty() ? "" : " ", problem.what));
}

// " (and 62 more like it: db/rp/3, db/rp/4, ...)"
std::string alike(const std::vector<const snapshot::Problem*>& group) {
  std::vector<std::string> paths;
  for (size_t i = 1; i < group.size() && paths.size() < kAlikeShown; ++i)
    if (!group[i]->path.empty()) paths.push_back(visible(group[i]->path));
  const char* more = paths.size() + 1 < group.size() ? ", ..." : "";
  return fmt::format(" ({} like it{}{}{})", and_more(group.size() - 1), paths.empty() ? "" : ": ",
                     fmt::join(paths, ", "), paths.empty() ? "" : more);
}

}  // namespace

void print_snapshot(std::ostream& out, const snapshot::Manifest& manifest) {
  fmt::print(out, "snapshot {} of {}, server {}\n", manifest.short_id(),
             format_rfc3339(manifest.time), visible(manifest.server));
}

void print_problems(std::ostream& err, const std::vector<snapshot::Problem>& problems) {
  for (const std::string& line : problem_lines(problems)) fmt::print(err, "tsmfs: {}\n", line);
}

void print_message(std::ostream& err, std::string_view kind, std::string_view what) {
  fmt::print(err, "tsmfs: {}{}{}\n", kind, kind.empty() ? "" : ": ", visible_message(what));
}

void print_unreadable(std::ostream& err, const snapshot::CatalogState& state,
                      std::string_view manifests) {
  for (const std::string& damaged : state.damaged)
    print_message(err, "", fmt::format("{}{}", damaged, manifests));
  for (const std::string& doubt : state.doubts) print_message(err, "", doubt);
}

void print_json(std::ostream& out, const nlohmann::json& value, int indent) {
  out << visible_json(value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace))
      << '\n';
}

std::vector<std::string> problem_lines(const std::vector<snapshot::Problem>& problems) {
  using Group = std::vector<const snapshot::Problem*>;
  std::vector<Group> groups;
  std::map<std::pair<bool, std::string>, size_t> known;
  for (const snapshot::Problem& problem : problems) {
    const bool incomplete = problem.severity == snapshot::Problem::Severity::kIncomplete;
    const auto [group, fresh] =
        known.emplace(std::pair(incomplete, without_numbers(problem.what)), groups.size());
    if (fresh) groups.emplace_back();
    groups[group->second].push_back(&problem);
  }
  std::vector<std::string> lines;
  for (const Group& group : groups) {
    if (group.size() <= kAlikeShown)
      for (const auto* problem : group) lines.push_back(problem_line(*problem));
    else
      lines.push_back(problem_line(*group.front()) + alike(group));
  }
  return lines;
}

nlohmann::json problems_json(const snapshot::Manifest& manifest) {
  nlohmann::json list = nlohmann::json::array();
  for (const snapshot::Problem& problem : manifest.problems) {
    const bool incomplete = problem.severity == snapshot::Problem::Severity::kIncomplete;
    list.push_back({{"severity", incomplete ? "incomplete" : "warning"},
                    {"path", problem.path},
                    {"what", problem.what}});
  }
  return list;
}

nlohmann::json extent_json(const snapshot::Manifest& manifest) {
  if (!manifest.extent) return nullptr;
  const snapshot::Extent& extent = *manifest.extent;
  nlohmann::json missing = nlohmann::json::array();
  for (const snapshot::MissingShard& shard : extent.missing)
    missing.push_back({{"shard", shard.path.text()},
                       {"why", shard.why},
                       {"had_bytes", shard.had_bytes},
                       {"accepted", shard.accepted}});
  nlohmann::json json = {
      {"named", extent.named}, {"came", extent.came}, {"late", extent.late}, {"missing", missing}};
  if (extent.since) json["since"] = format_rfc3339_ns(*extent.since);
  return json;
}

}  // namespace tsmfs::cli
