#include "cli/commands/past_options.h"

#include <unistd.h>

#include <cstdlib>

#include "cli/commands/chosen_snapshot.h"
#include "fs/mount_options.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/timestamp.h"

namespace tsmfs::cli {

namespace {

const std::string kLatest = "latest";

// For who looks for it from another working directory.
void make_temporary_absolute() {
  constexpr const char* kName = "TMPDIR";
  const char* named = std::getenv(kName);  // NOLINT(concurrency-mt-unsafe): before any thread asks
  if (named == nullptr || *named == '\0') return;
  ::setenv(kName, absolute_path(named).c_str(), 1);  // NOLINT(concurrency-mt-unsafe): likewise
}

}  // namespace

const std::string& PastOptions::which() const {
  if (!at.empty()) return at;
  return snapshot.empty() ? kLatest : snapshot;
}

void add_past_options(CLI::App& sub, PastOptions& options) {
  add_repository_option(sub, options.repository);
  auto* snapshot =
      sub.add_option("--snapshot,-s", options.snapshot, "latest (the default), an id, a time")
          ->type_name("WHICH");
  sub.add_option("--at", options.at, "The newest that is not later: 2h-ago, ...")
      ->type_name("TIME")
      ->excludes(snapshot);
  sub.add_option("--server", options.server, "Of this server, if several have snapshots")
      ->type_name("NAME");
  sub.add_option("--database,--db", options.filter.databases, "This database only; may be repeated")
      ->type_name("DB")
      ->allow_extra_args(false);
  sub.add_option("--retention,--rp", options.filter.policy, "This retention policy only")
      ->type_name("RP");
  sub.add_option_function<uint64_t>(
         "--shard", [&options](uint64_t shard) { options.filter.shard = shard; }, "This shard only")
      ->type_name("ID");
  sub.add_option("--influxd", options.influxd, "The program (influxd, as PATH has it)")
      ->type_name("PROGRAM");
  sub.add_option("--index", options.index, "Of series: inmem (the default), or tsi1, made anew")
      ->check(CLI::IsMember({"inmem", kTsi1}))
      ->type_name("WHICH");
  sub.add_flag("--copy", options.copy, "Copy the data first, where nothing can be mounted");
  sub.add_flag("--make-metastore", options.make_metastore,
               "Derive the metastore from the shards' points");
  sub.add_option("--cache", options.cache, "Memory for decompressed data (64M)")->type_name("SIZE");
}

void check_past_options(PastOptions& options) {
  require_repository(options.repository);
  index::open_place(options.repository);  // there is one
  options.repository = options.repository.resolved();
}

PastServerRequest request_for(const PastOptions& options, const InfluxdProgram& influxd,
                              uint16_t http_port, uint16_t snapshot_port) {
  PastServerRequest request;
  request.influxd = influxd;
  request.settings.http = {kLoopback, http_port};
  request.settings.snapshots = {kLoopback, snapshot_port};
  request.settings.index = options.index;
  if (options.cache.empty()) return request;
  fs::MountOptions mount;
  fs::apply_cache_size(options.cache, mount);
  request.cache_bytes = mount.cache_bytes;
  return request;
}

ServedPart part_for(const PastOptions& options, const PastServerRequest& request,
                    const snapshot::SnapshotPtr& snapshot) {
  ServedPart part;
  part.snapshot = snapshot;
  part.filter = options.filter;
  part.make_metastore = options.make_metastore;
  part.tsi1 = index_of(request.settings) == kTsi1;
  part.copy = options.copy;
  return part;
}

void enter_place(const ServedPlace& place) {
  make_temporary_absolute();
  if (::chdir(place.root().c_str()) != 0) throw_errno("cannot enter " + place.root().string());
}

ChosenPast choose_past(const PastOptions& options, snapshot::Catalog& catalog,
                       index::Repository& repository, Context& context) {
  const auto chosen = snapshot::choose_snapshot(
      *catalog.refresh(), {options.which(), options.server, options.filter, /*data=*/true},
      repository.objects(), now());
  return {chosen.snapshot, tell_of_choice(chosen, context)};
}

}  // namespace tsmfs::cli
