#include "cli/output/online_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>

#include <vector>

#include "cli/output/format.h"
#include "index/base/quote.h"

namespace tsmfs::cli {

namespace {

using snapshot::OnlinePlan;
using snapshot::OnlineReport;
using snapshot::OnlineStage;

// What is on the server after a restore that did not come to its end.
void print_whole(std::ostream& err, const OnlineReport& report) {
  if (report.whole.empty()) {
    fmt::print(err, "no shard was restored\n");
    return;
  }
  fmt::print(err, "restored whole, under their new numbers:\n");
  for (const auto& path : report.whole) fmt::print(err, "  {}\n", visible(path.text()));
}

void print_failed(std::ostream& err, const OnlinePlan& plan, const OnlineReport& report) {
  for (const auto& failed : report.failed)
    print_message(err, "",
                  fmt::format("{} was not restored: {}", visible(failed.from.text()), failed.what));
  print_whole(err, report);
  fmt::print(err, "{} of {} shards are missing: drop the new databases before another try\n",
             report.failed.size(), plan.shards);
}

void print_settings(std::ostream& out, std::ostream& err, const snapshot::OnlineResult& result) {
  const snapshot::SettingsPlan& plan = result.settings;
  for (const auto& failed : result.settings_report.failed)
    print_message(err, "", fmt::format("{} failed: {}", visible(failed.shown), failed.what));
  if (result.stage != OnlineStage::kDone) return;
  if (!plan.url.empty())
    fmt::print(out, "{} of {} statements sent to {}\n", result.settings_report.sent,
               plan.made.statements.size(), plan.url);
  if (plan.made.new_users.empty()) return;
  std::vector<std::string> names;
  for (const std::string& name : plan.made.new_users) names.push_back(quote(name));
  print_message(
      err, "",
      fmt::format("passwords cannot be read back: new users have a random one that nobody knows, "
                  "until SET PASSWORD FOR \"name\" = '...': {}",
                  fmt::join(names, ", ")));
}

}  // namespace

void print_uploaded(std::ostream& err, const snapshot::UploadedShard& shard) {
  fmt::print(err, "[{}/{}] {} -> {}: {} files, {}\n", shard.done, shard.total,
             visible(shard.from.text()), visible(shard.to.text()), shard.files,
             format_bytes(shard.bytes));
}

void print_online_warnings(std::ostream& err, const snapshot::OnlineResult& result, bool quiet) {
  print_problems(err, result.chosen.snapshot->problems);
  for (const std::string& note : result.plan.notes) print_message(err, "warning", note);
  const snapshot::SettingsPlan& settings = result.settings;
  if (settings.in_the_clear && !quiet)
    print_message(
        err, "warning",
        fmt::format("{} is not encrypted: passwords go there in the clear", settings.url));
  for (const std::string& line : settings.left_out) print_message(err, "warning", line);
}

void print_online_plan(std::ostream& out, const snapshot::OnlineResult& result,
                       const std::string& server) {
  const OnlinePlan& plan = result.plan;
  for (const auto& database : plan.databases)
    for (const auto& shard : database.shards)
      fmt::print(out, "{} -> {}/{}: {} files, {}\n", visible(shard.path.text()),
                 visible(database.names.new_database),
                 visible(database.names.new_policy.value_or(shard.path.policy)), shard.files.size(),
                 format_bytes(shard.bytes));
  fmt::print(out, "would restore {} databases, {} shards, {} files, {} into the server at {}\n",
             plan.databases.size(), plan.shards, plan.files, format_bytes(plan.bytes), server);
  for (const auto& statement : result.settings.made.statements)
    fmt::print(out, "would send: {}\n", visible(statement.shown));
}

void print_online_result(std::ostream& out, std::ostream& err, const snapshot::OnlineResult& result,
                         const std::string& server) {
  const OnlineReport& report = result.report;
  if (result.stage == OnlineStage::kPlanning) return;
  if (result.stage == OnlineStage::kUploading) return print_whole(err, report);
  if (!report.failed.empty()) return print_failed(err, result.plan, report);
  fmt::print(out, "{} databases, {} shards, {} restored into the server at {}\n",
             result.plan.databases.size(), report.whole.size(), format_bytes(report.bytes), server);
  print_settings(out, err, result);
}

}  // namespace tsmfs::cli
