#include "cli/output/offline_report.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>

#include "cli/output/format.h"

namespace tsmfs::cli {

namespace {

std::string describe_shard(const snapshot::RestoreShard& shard) {
  const std::string to = shard.to == shard.from ? "" : fmt::format(" -> {}", shard.to.text());
  return fmt::format(
      "{}: {} files, {}{}", visible(shard.from.text() + to), shard.files.size(),
      format_bytes(shard.bytes),
      shard.kept ? fmt::format(", added to {} that are there", shard.kept->size()) : "");
}

// Files that were there, and have later names now, so that their points win.
size_t moved_files(const snapshot::RestorePlan& plan) {
  size_t count = 0;
  for (const auto& shard : plan.shards)
    if (shard.kept)
      count += static_cast<size_t>(std::ranges::count_if(
          *shard.kept, [](const auto& file) { return file.name != file.new_name; }));
  return count;
}

}  // namespace

OfflineReport::OfflineReport(const Streams& streams, const snapshot::OfflineRequest& request,
                             const snapshot::OfflineResult& result)
    : to_(streams), request_(request), result_(result) {}

std::string OfflineReport::line() const {
  const snapshot::RestorePlan& plan = result_.plan;
  const uint64_t written = progress_.written_bytes;
  const double rate = rate_since(begin_, written);
  const uint64_t left = plan.bytes - std::min(plan.bytes, written);
  return fmt::format(
      "{} of {} shards, {} of {} at {}/s{}", progress_.shards_done.load(), plan.shards.size(),
      format_bytes(written), format_bytes(plan.bytes), format_bytes(static_cast<uint64_t>(rate)),
      rate > 0 ? fmt::format(", {} left", format_duration(static_cast<double>(left) / rate)) : "");
}

void OfflineReport::planned() {
  for (const std::string& warning : result_.plan.warnings)
    print_message(to_.err, "warning", warning);
  if (!to_.quiet)
    for (const std::string& note : result_.plan.notes) print_message(to_.err, "note", note);
  print_snapshot(to_.out, *result_.chosen.snapshot);
  if (request_.dry_run) return print_plan();
  begin_ = std::chrono::steady_clock::now();
  live_.emplace(to_.err, !to_.quiet && stderr_is_terminal(), [this] { return line(); });
}

void OfflineReport::print_skipped() const {
  if (!result_.plan.skipped.empty())
    fmt::print(to_.out, "{} shards are there already, and are left as they are\n",
               result_.plan.skipped.size());
}

void OfflineReport::print_plan() const {
  const snapshot::RestorePlan& plan = result_.plan;
  for (const auto& shard : plan.shards)
    fmt::print(to_.out, "{}{}\n", describe_shard(shard),
               shard.replaces && !shard.kept ? ", replaces what is there" : "");
  if (!request_.restore.datadir.empty())
    fmt::print(to_.out, "would write {} shards, {} files, {} to {}\n", plan.shards.size(),
               plan.files, format_bytes(plan.bytes), request_.restore.datadir.string());
  print_skipped();
  if (plan.meta_db)
    fmt::print(to_.out, "would {} {}\n", plan.meta_db_before ? "merge into" : "write",
               snapshot::meta_db_path(request_.restore.metadir).string());
}

void OfflineReport::shard(const snapshot::RestoredShard& restored) {
  if (to_.quiet) return;
  live_->print(
      fmt::format("[{}/{}] {}\n", restored.done, restored.total, describe_shard(restored.shard)));
}

void OfflineReport::cut_short() {
  const snapshot::RestorePlan& plan = result_.plan;
  if (live_ && progress_.shards_done < plan.shards.size())
    live_->print(fmt::format("{} of {} shards are in place, whole{}\n",
                             progress_.shards_done.load(), plan.shards.size(),
                             plan.meta_db ? "; the metastore has not been touched" : ""));
  live_.reset();
}

void OfflineReport::result() {
  if (request_.dry_run) return;
  live_.reset();
  const snapshot::RestorePlan& plan = result_.plan;
  const snapshot::RestoreRequest& request = request_.restore;
  if (!request.datadir.empty())
    fmt::print(to_.out, "{} shards, {} files, {} restored to {}\n", plan.shards.size(), plan.files,
               format_bytes(plan.bytes), request.datadir.string());
  if (const size_t moved = moved_files(plan); moved > 0)
    fmt::print(to_.out, "{} files that were there have later names, and win\n", moved);
  if (!plan.wal.empty())
    fmt::print(to_.out, "the write-ahead log of {} shards restored to {}\n", plan.wal.size(),
               request.waldir.string());
  print_skipped();
  if (plan.meta_db)
    fmt::print(to_.out, "metastore {} {}\n", plan.meta_db_before ? "merged into" : "restored to",
               snapshot::meta_db_path(request.metadir).string());
  if (request_.options.verify)
    fmt::print(to_.out, "verified: all of it reads back as it was stored\n");
}

}  // namespace tsmfs::cli
