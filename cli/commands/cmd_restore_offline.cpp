#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <chrono>

#include "cli/commands/restore_command.h"
#include "cli/output/format.h"
#include "cli/output/progress.h"
#include "index/base/error.h"
#include "index/base/owner.h"
#include "index/repository/repository.h"
#include "snapshot/influxdb/derived_metastore.h"
#include "snapshot/model/catalog.h"
#include "snapshot/restore/restorer.h"

namespace tsmfs::cli {

namespace {

std::string describe(const snapshot::RestoreShard& shard) {
  const std::string to = shard.to == shard.from ? "" : fmt::format(" -> {}", shard.to.text());
  return fmt::format(
      "{}: {} files, {}{}", visible(shard.from.text() + to), shard.files.size(),
      format_bytes(shard.bytes),
      shard.kept ? fmt::format(", added to {} that are there", shard.kept->size()) : "");
}

void print_skipped(std::ostream& out, const snapshot::RestorePlan& plan) {
  if (!plan.skipped.empty())
    fmt::print(out, "{} shards are there already, and are left as they are\n", plan.skipped.size());
}

void print_plan(std::ostream& out, const snapshot::RestorePlan& plan,
                const snapshot::RestoreRequest& request) {
  for (const auto& shard : plan.shards)
    fmt::print(out, "{}{}\n", describe(shard),
               shard.replaces && !shard.kept ? ", replaces what is there" : "");
  if (!request.datadir.empty())
    fmt::print(out, "would write {} shards, {} files, {} to {}\n", plan.shards.size(), plan.files,
               format_bytes(plan.bytes), request.datadir.string());
  print_skipped(out, plan);
  if (plan.meta_db)
    fmt::print(out, "would {} {}\n", plan.meta_db_before ? "merge into" : "write",
               snapshot::meta_db_path(request.metadir).string());
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

void print_result(std::ostream& out, const snapshot::RestorePlan& plan,
                  const snapshot::RestoreRequest& request, bool verified) {
  if (!request.datadir.empty())
    fmt::print(out, "{} shards, {} files, {} restored to {}\n", plan.shards.size(), plan.files,
               format_bytes(plan.bytes), request.datadir.string());
  if (const size_t moved = moved_files(plan); moved > 0)
    fmt::print(out, "{} files that were there have later names, and win\n", moved);
  if (!plan.wal.empty())
    fmt::print(out, "the write-ahead log of {} shards restored to {}\n", plan.wal.size(),
               request.waldir.string());
  print_skipped(out, plan);
  if (plan.meta_db)
    fmt::print(out, "metastore {} {}\n", plan.meta_db_before ? "merged into" : "restored to",
               snapshot::meta_db_path(request.metadir).string());
  if (verified) fmt::print(out, "verified: all of it reads back as it was stored\n");
}

// Of a restore that does not fail, and of showing what it would do.
ExitCode status_of(const Chosen& chosen, const snapshot::RestorePlan& plan) {
  if (chosen.status != ExitCode::kOk) return chosen.status;
  const bool lacks = plan.lacks_settings || plan.lacks_wal || plan.log_wins;
  return lacks ? ExitCode::kIncomplete : ExitCode::kOk;
}

using Clock = std::chrono::steady_clock;

std::string live_line(const snapshot::RestorePlan& plan, const snapshot::RestoreProgress& progress,
                      Clock::time_point start) {
  const uint64_t written = progress.written_bytes;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const double rate = seconds > 0 ? static_cast<double>(written) / seconds : 0;
  const uint64_t left = plan.bytes - std::min(plan.bytes, written);
  return fmt::format(
      "{} of {} shards, {} of {} at {}/s{}", progress.shards_done.load(), plan.shards.size(),
      format_bytes(written), format_bytes(plan.bytes), format_bytes(static_cast<uint64_t>(rate)),
      rate > 0 ? fmt::format(", {} left", format_duration(static_cast<double>(left) / rate)) : "");
}

void restore_with_progress(index::Repository& repository, const snapshot::RestorePlan& plan,
                           const snapshot::RestoreRequest& request, const RestoreCommand& command,
                           Context& context) {
  snapshot::RestoreProgress progress;
  snapshot::RestoreOptions options;
  options.verify = command.verify;
  options.progress = &progress;
  Progress line(context.err, !context.quiet && stderr_is_terminal(),
                [&, start = Clock::now()] { return live_line(plan, progress, start); });
  if (!context.quiet)
    options.on_shard = [&](const snapshot::RestoredShard& restored) {
      line.print(
          fmt::format("[{}/{}] {}\n", restored.done, restored.total, describe(restored.shard)));
    };
  try {
    snapshot::restore(repository, plan, request, options, context.stop);
  } catch (const Error&) {
    if (progress.shards_done < plan.shards.size())
      line.print(fmt::format("{} of {} shards are in place, whole{}\n", progress.shards_done.load(),
                             plan.shards.size(),
                             plan.meta_db ? "; the metastore has not been touched" : ""));
    throw;
  }
}

}  // namespace

ExitCode restore_offline(const RestoreCommand& command, Context& context) {
  if (command.datadir.empty() && !command.waldir.empty())
    throw UsageError("--waldir goes with --datadir", "the log belongs to the data beside it");
  if (command.overwrite + command.skip_existing + command.merge > 1)
    throw UsageError("--overwrite, --skip-existing and --merge contradict each other",
                     "use one of them");
  if (command.merge && !command.waldir.empty())
    throw UsageError("--merge cannot take a write-ahead log, whose points win over all others",
                     "restore into empty directories with --waldir, start influxd there until it "
                     "has written the log to its shards, and merge a backup of that");
  if (command.metadir.empty() && command.datadir.empty())
    throw UsageError("it is not said where to restore to",
                     "name --metadir, --datadir or both; or --online for a running server");
  if (command.make_metastore && command.metadir.empty())
    throw UsageError("--make-metastore makes a meta.db, and it is not said where",
                     "name --metadir");
  const auto repository = index::Repository::open_reader({command.repository});
  snapshot::Catalog catalog(repository->storage());
  snapshot::RestoreRequest request;
  const Chosen chosen = choose_snapshot(command, catalog, *repository, context);
  request.snapshot = chosen.snapshot;
  request.choice = {command.filter, command.new_database, command.new_policy, command.with_users,
                    command.with_subscriptions};
  request.metadir = command.metadir;
  request.datadir = command.datadir;
  if (!command.owner.empty()) request.owner = parse_owner(command.owner);
  request.waldir = command.waldir;
  request.overwrite = command.overwrite;
  request.skip_existing = command.skip_existing;
  if (command.merge)
    request.merge = command.prefer == kPreferSnapshot ? snapshot::Prefer::kSnapshot
                                                      : snapshot::Prefer::kExisting;
  request.make_metastore = command.make_metastore;
  if (!command.shard_duration.empty())
    request.shard_duration_ns = snapshot::parse_shard_duration(command.shard_duration);
  request.stop = context.stop;
  snapshot::require_no_server(request);
  const auto plan = snapshot::plan_restore(*repository, request);
  snapshot::check_target(plan, request);
  for (const std::string& warning : plan.warnings) print_message(context.err, "warning", warning);
  if (!context.quiet)
    for (const std::string& note : plan.notes) print_message(context.err, "note", note);
  print_snapshot(context.out, *request.snapshot);
  if (command.dry_run) {
    print_plan(context.out, plan, request);
    return status_of(chosen, plan);
  }
  restore_with_progress(*repository, plan, request, command, context);
  print_result(context.out, plan, request, command.verify);
  return status_of(chosen, plan);
}

}  // namespace tsmfs::cli
