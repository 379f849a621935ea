#include "cli/output/backup_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <nlohmann/json.hpp>

#include "cli/output/format.h"

namespace tsmfs::cli {

namespace {

using Json = nlohmann::json;

// Whoever reads it wants each line at once.
void print_line(std::ostream& out, const Json& object) {
  print_json(out, object);
  out.flush();
}

}  // namespace

BackupReport::BackupReport(std::ostream& out, std::ostream& err, ReportForm form)
    : out_(out), err_(err), form_(form) {}

void BackupReport::begin() {
  begin_ = std::chrono::steady_clock::now();
  live_.emplace(err_, form_ == ReportForm::kPerson && stderr_is_terminal(),
                [this] { return line(); });
}

std::string BackupReport::line() const {
  const uint64_t received = progress_.received_bytes, expected = progress_.expected_bytes;
  const double rate = rate_since(begin_, received);
  std::string left;
  if (expected > received && rate > 0)
    left = fmt::format(", about {} left",
                       format_duration(static_cast<double>(expected - received) / rate));
  return fmt::format("shard {} of {}, {} at {}/s, {} new{}", progress_.shards_done.load(),
                     progress_.shards_total.load(), format_bytes(received),
                     format_bytes(static_cast<uint64_t>(rate)), format_bytes(new_bytes_), left);
}

void BackupReport::shard(const snapshot::ShardReport& report) {
  const auto& shard = report.shard;
  new_bytes_ += shard.new_bytes;
  if (form_ == ReportForm::kJson)
    print_line(out_, {{"message", "shard"},
                      {"done", report.done},
                      {"total", report.total},
                      {"path", report.path.text()},
                      {"files", shard.files.size()},
                      {"bytes", shard.bytes},
                      {"new_bytes", shard.new_bytes},
                      {"tries", shard.tries},
                      {"incomplete", shard.incomplete()},
                      {"dropped", shard.dropped}});
  if (form_ != ReportForm::kPerson) return;
  live_->print(fmt::format("[{}/{}] {}: {} files, {}, {} new{}{}\n", report.done, report.total,
                           visible(report.path.text()), shard.files.size(),
                           format_bytes(shard.bytes), format_bytes(shard.new_bytes),
                           shard.tries > 1 ? fmt::format(", {} tries", shard.tries) : "",
                           shard.incomplete() ? ", INCOMPLETE"
                           : shard.dropped    ? ", dropped by the server"
                                              : ""));
}

void BackupReport::result(const snapshot::BackupResult& result, bool with_since) {
  live_.reset();
  if (form_ == ReportForm::kJson)
    print_object(result.captured);
  else
    print_person(result.captured, with_since);
  for (const uint64_t shard : result.not_missing)
    print_message(err_, "warning",
                  fmt::format("--accept-missing {0}: shard {0} is not missing", shard));
}

void BackupReport::print_object(const snapshot::Captured& captured) {
  const snapshot::Manifest& manifest = *captured.snapshot;
  print_line(out_, {{"message", "snapshot"},
                    {"id", manifest.id.hex()},
                    {"time", format_rfc3339_ns(manifest.time)},
                    {"shards", manifest.shards},
                    {"files", manifest.files},
                    {"bytes", manifest.bytes},
                    {"new_bytes", manifest.new_bytes},
                    {"stored_bytes", manifest.stored_bytes},
                    {"received_files", captured.received_files},
                    {"carried_files", captured.carried_files},
                    {"superseded_files", captured.superseded_files},
                    {"partial", manifest.partial},
                    {"incomplete", manifest.incomplete()},
                    {"metastore_changed", manifest.metastore_changed},
                    {"extent", extent_json(manifest)},
                    {"problems", problems_json(manifest)}});
}

void BackupReport::print_person(const snapshot::Captured& captured, bool with_since) {
  const snapshot::Manifest& manifest = *captured.snapshot;
  print_problems(err_, manifest.problems);
  if (manifest.metastore_changed)
    fmt::print(err_,
               "tsmfs: the metastore changed during the backup; the snapshot holds the one that "
               "fits its shards\n");
  if (with_since)
    fmt::print(out_, "{} files received, {} carried over from the snapshot before, {} superseded\n",
               captured.received_files, captured.carried_files, captured.superseded_files);
  fmt::print(out_, "{} shards, {} files, {}; {} new, {} added to the repository\n", manifest.shards,
             manifest.files, format_bytes(manifest.bytes), format_bytes(manifest.new_bytes),
             format_bytes(manifest.stored_bytes));
  fmt::print(out_, "snapshot {} saved{}{}\n", manifest.short_id(),
             manifest.partial ? ", partial" : "", manifest.incomplete() ? ", incomplete" : "");
}

}  // namespace tsmfs::cli
