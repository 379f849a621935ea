#include "cli/format.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <array>
#include <nlohmann/json.hpp>

namespace tsmfs::cli {

std::string format_bytes(uint64_t bytes) {
  static constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

void print_snapshot(std::ostream& out, const snapshot::Manifest& manifest) {
  fmt::print(out, "snapshot {} of {}, server {}\n", manifest.short_id(),
             format_rfc3339(manifest.time), visible(manifest.server));
}

void print_problem(std::ostream& err, const snapshot::Problem& problem) {
  const char* word =
      problem.severity == snapshot::Problem::Severity::kIncomplete ? "INCOMPLETE" : "warning";
  fmt::print(err, "tsmfs: {}: {}\n", word, problem_line(problem));
}

void print_message(std::ostream& err, std::string_view kind, std::string_view what) {
  fmt::print(err, "tsmfs: {}{}{}\n", kind, kind.empty() ? "" : ": ", visible_message(what));
}

void print_json(std::ostream& out, const nlohmann::json& value, int indent) {
  out << visible_json(value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace))
      << '\n';
}

std::string problem_line(const snapshot::Problem& problem) {
  return visible(
      fmt::format("{}{}{}", problem.path, problem.path.empty() ? "" : " ", problem.what));
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
  nlohmann::json json = {{"named", extent.named}, {"came", extent.came}, {"missing", missing}};
  if (extent.since) json["since"] = format_rfc3339_ns(*extent.since);
  return json;
}

}  // namespace tsmfs::cli
