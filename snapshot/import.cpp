#include "snapshot/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <utility>
#include <vector>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/log.h"
#include "index/stored_source.h"
#include "snapshot/import_base.h"
#include "snapshot/increments.h"
#include "snapshot/past_snapshot.h"
#include "snapshot/quote.h"
#include "snapshot/shard_reader.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

std::string address_of(const std::filesystem::path& path) {
  return resolved_path(path).string();
}

// Where one tar was glued behind a part of another, the last file before the damage is made of
// both.
void drop_torn_file(ReadShard& shard) {
  if (shard.files.empty() || shard.defects.empty() ||
      shard.defects.back().file != shard.files.back().name)
    return;
  shard.bytes -= shard.files.back().size;
  shard.files.pop_back();
  shard.defects.pop_back();
}

// The runs of one form in one directory, oldest first.
class RunImport {
 public:
  RunImport(const BackupDir& dir, const ImportOptions& options, ImportTarget& target,
            std::stop_token stop)
      : dir_(dir),
        options_(options),
        target_(target),
        stop_(std::move(stop)),
        reader_(target.writer, target.repository.paths().tmp(), stop_) {}
  // True when the snapshot is complete.
  bool import(const BackupRun& run);

 private:
  struct Received {
    ShardPath path;
    ReadShard shard;
    std::string damage;  // why it is not whole; empty when it is
  };
  using States = std::map<ShardPath, ShardState>;

  Manifest manifest_of(const BackupRun& run);
  std::optional<MetastoreAnswer> read_metastore(const BackupRun& run, SnapshotBuilder& builder);
  void begin_states(const BackupRun& run, const Metastore* metastore);
  void load_states(const Manifest& snapshot);
  std::optional<Received> read_archive(const ShardArchive& archive, const Metastore* metastore,
                                       SnapshotBuilder& builder);
  void lay_over_all(std::vector<Received>& received, SnapshotBuilder& builder);
  void drop_removed(const Metastore& metastore);
  void add_shards(SnapshotBuilder& builder, const std::vector<Received>& received);
  void note_what_lacks(SnapshotBuilder& builder, const Metastore* metastore,
                       const std::vector<Received>& received);

  const BackupDir& dir_;
  const ImportOptions& options_;
  ImportTarget& target_;
  std::stop_token stop_;
  ShardReader reader_;
  States states_;                       // up to the last run
  std::optional<uint64_t> cluster_id_;  // of the last run's server
  SnapshotPtr skipped_;  // the last run, imported earlier: states_ are still to be loaded
  std::set<index::SnapshotId> made_;
};

bool RunImport::import(const BackupRun& run) {
  Manifest manifest = manifest_of(run);
  SnapshotPtr there = find_imported(*target_.catalog.state(), manifest);
  if (there && made_.contains(there->id)) there = nullptr;  // two runs of one second
  if (there && !there->incomplete()) {
    skipped_ = there;
    options_.on_snapshot({there, true});
    return true;
  }
  SnapshotBuilder builder(target_.repository, target_.writer, target_.catalog, std::move(manifest));
  for (const Problem& problem : run.problems) builder.manifest().problems.push_back(problem);
  const auto answer = read_metastore(run, builder);
  const auto metastore =
      answer ? add_metastore(builder, *answer, quote(run.metastore.filename().string()))
             : std::nullopt;
  begin_states(run, metastore ? &*metastore : nullptr);
  std::vector<Received> received;
  for (const ShardArchive& archive : run.archives)
    if (auto read = read_archive(archive, metastore ? &*metastore : nullptr, builder))
      received.push_back(std::move(*read));
  lay_over_all(received, builder);
  if (metastore) drop_removed(*metastore);
  add_shards(builder, received);
  note_what_lacks(builder, metastore ? &*metastore : nullptr, received);
  builder.manifest().partial |= run.limited;
  const SnapshotPtr snapshot = builder.publish_unless_as(there);
  made_.insert(snapshot->id);
  options_.on_snapshot({snapshot, snapshot == there});
  return !snapshot->incomplete();
}

Manifest RunImport::manifest_of(const BackupRun& run) {
  const bool legacy = run.form == BackupRun::Form::kLegacy;
  Manifest manifest =
      begin_manifest(*target_.catalog.refresh(), options_.server, options_.time.value_or(run.time),
                     address_of(dir_.path), legacy ? kLegacyImport : kPortableImport);
  manifest.tags = options_.tags;
  return manifest;
}

std::optional<MetastoreAnswer> RunImport::read_metastore(const BackupRun& run,
                                                         SnapshotBuilder& builder) {
  try {
    return read_run_metastore(run);
  } catch (const ProtocolError& error) {
    builder.problem(Severity::kIncomplete, "", error.what());
    return std::nullopt;
  }
}

// A portable run stands alone. A legacy one is laid over those before it, unless another server
// wrote them.
void RunImport::begin_states(const BackupRun& run, const Metastore* metastore) {
  if (run.form == BackupRun::Form::kPortable) {
    states_.clear();
    return;
  }
  if (const SnapshotPtr skipped = std::exchange(skipped_, nullptr)) load_states(*skipped);
  if (metastore == nullptr) return;
  if (cluster_id_ && *cluster_id_ != metastore->cluster_id()) states_.clear();
  cluster_id_ = metastore->cluster_id();
}

void RunImport::load_states(const Manifest& snapshot) {
  states_.clear();
  index::ObjectReader& objects = target_.repository.objects();
  for (const auto& [path, entry] : shard_entries(objects, snapshot))
    states_[path].files = read_tree(objects, entry.directory()).entries();
  for (const Problem& problem : snapshot.problems)
    if (const auto path = parse_shard_path(problem.path);
        path && problem.severity == Severity::kIncomplete)
      states_[*path].damage = problem.what;
  const Tree meta = read_tree(objects, snapshot.meta);
  cluster_id_.reset();
  if (const TreeEntry* meta_db = meta.find("meta.db")) {
    index::StoredSource source(objects.open_file(meta_db->file()));
    if (source.size() <= kMetastoreBytesMax) try {
        cluster_id_ = Metastore::parse(source.view(0, source.size()), "meta.db").cluster_id();
      } catch (const CorruptError&) {
        // stored as it was; that snapshot says so
      }
  }
}

std::optional<RunImport::Received> RunImport::read_archive(const ShardArchive& archive,
                                                           const Metastore* metastore,
                                                           SnapshotBuilder& builder) {
  if (stop_.stop_requested()) throw Cancelled();
  const std::string name = archive.file.filename().string();
  std::optional<Received> received;
  try {
    const auto path = resolve_path(archive, metastore);
    if (!path) {
      builder.problem(Severity::kWarning, "",
                      quote(name) + " is empty, and nothing says which shard it is of");
      return std::nullopt;
    }
    received = Received{*path, {}, {}};
    const auto stream = open_archive(archive, stop_);
    reader_.read(*path, *stream, {}, received->shard);
  } catch (const ProtocolError& error) {
    if (!received) {
      builder.problem(Severity::kIncomplete, "",
                      fmt::format("the archive {} is damaged, and none of it is here: {}",
                                  quote(name), error.what()));
      return std::nullopt;
    }
    drop_torn_file(received->shard);
    received->damage = fmt::format("the archive {} is damaged: {}; {} of its files are kept",
                                   quote(name), error.what(), received->shard.files.size());
  }
  return received;
}

void RunImport::lay_over_all(std::vector<Received>& received, SnapshotBuilder& builder) {
  const bool any = std::any_of(received.begin(), received.end(),
                               [&](const Received& r) { return states_.contains(r.path); });
  std::set<ShardPath> twice;
  const bool repeated = std::any_of(received.begin(), received.end(), [&](const Received& r) {
    return !twice.insert(r.path).second;
  });
  if (any || repeated) target_.writer.flush();
  for (Received& each : received) {
    for (const FileDefect& defect : each.shard.defects)
      builder.problem(Severity::kWarning, each.path.text() + "/" + defect.file,
                      "is not a sound TSM file: " + defect.what + "; stored as it is");
    add_archive(target_.repository.objects(), each.path, each.shard.files, each.damage,
                states_[each.path], builder.manifest().problems);
  }
}

// Retention, or DROP: restored, such a shard would be ignored until a new one is given its number.
void RunImport::drop_removed(const Metastore& metastore) {
  std::erase_if(states_, [&](const auto& entry) { return !metastore.has_shard(entry.first); });
}

void RunImport::add_shards(SnapshotBuilder& builder, const std::vector<Received>& received) {
  std::map<ShardPath, uint64_t> new_bytes;
  for (const Received& each : received) new_bytes[each.path] += each.shard.new_bytes;
  for (const auto& [path, state] : states_) {
    if (!state.damage.empty()) builder.problem(Severity::kIncomplete, path.text(), state.damage);
    builder.add_shard(path, state.files, new_bytes[path]);
  }
}

void RunImport::note_what_lacks(SnapshotBuilder& builder, const Metastore* metastore,
                                const std::vector<Received>& received) {
  std::map<ShardPath, ShardHere> here;
  std::map<ShardPath, uint64_t> bytes;
  for (const auto& [path, state] : states_) {
    bytes[path] =
        std::accumulate(state.files.begin(), state.files.end(), uint64_t{0},
                        [](uint64_t sum, const TreeEntry& entry) { return sum + entry.size; });
    here[path] = {bytes[path], state.damage.empty()};
  }
  std::set<std::string> asked;
  for (const Received& each : received) asked.insert(each.path.database);
  const auto catalog = target_.catalog.state();
  PastShards past(target_.repository.objects(), *catalog, options_.server, builder.manifest().time);
  if (metastore != nullptr) note_missing(builder, *metastore, here, &asked, past);
  note_shrunk(builder, target_.repository.objects(), *target_.catalog.state(), bytes);
}

// Snapshots of a data directory are told apart by its last change.
[[noreturn]] void throw_unknown_change(const DataDir& dir, const Manifest& there) {
  std::string why = "meta.db";
  for (const Problem& problem : dir.problems)
    if (problem.severity == Severity::kIncomplete)
      why = fmt::format("{}: {}", quote(problem.path), problem.what);
  throw Error(fmt::format("whether {} has changed since snapshot {} cannot be told: {}",
                          quote(dir.places.data.string()), there.short_id(), why),
              "import it again once all of it can be read, or give --time");
}

}  // namespace

bool import_backup_dir(const BackupDir& dir, const ImportOptions& options, ImportTarget& target,
                       std::stop_token stop) {
  if (options.time && dir.runs.size() != 1)
    throw UsageError(fmt::format("{} holds {} backups, and --time is for a single one",
                                 quote(dir.path.string()), dir.runs.size()),
                     "leave it out: their times are known");
  RunImport legacy(dir, options, target, stop), portable(dir, options, target, stop);
  bool complete = dir.damaged.empty();
  for (const BackupRun& run : dir.runs)
    complete &= (run.form == BackupRun::Form::kLegacy ? legacy : portable).import(run);
  return complete;
}

bool import_data_dir(const DataDir& dir, const ImportOptions& options, ImportTarget& target,
                     std::stop_token stop) {
  Manifest manifest =
      begin_manifest(*target.catalog.refresh(), options.server, options.time.value_or(dir.changed),
                     address_of(dir.places.data), kDataDirImport);
  const SnapshotPtr there = find_imported(*target.catalog.state(), manifest);
  if (there && !there->incomplete()) {
    if (!options.time && !dir.changed_is_known) throw_unknown_change(dir, *there);
    options.on_snapshot({there, true});
    return true;
  }
  manifest.problems = dir.problems;
  manifest.tags = options.tags;
  SnapshotBuilder builder(target.repository, target.writer, target.catalog, std::move(manifest));
  std::optional<Metastore> metastore;
  if (!dir.places.meta.empty()) try {
      metastore = add_metastore(builder, read_meta_dir(dir.places.meta), "meta.db");
    } catch (const ProtocolError& error) {
      builder.problem(Severity::kIncomplete, "", error.what());
    }
  const index::RepositoryPaths& paths = target.repository.paths();
  ShardReader reader(target.writer, paths.tmp(), stop);
  const auto seen_at = paths.seen() / Name::require(options.server, "the import");
  SeenByImports seen;
  if (!options.reread) seen.last = SeenFiles::load(seen_at);
  const index::DigestKey& key = target.writer.digest_key();
  std::map<ShardPath, ShardHere> here;
  std::set<std::string> databases;
  const auto take = [&](const ShardPath& path, const std::filesystem::path& from, DirKind kind) {
    DirShard read = read_shard_dir(from, path, kind, reader, key, seen, stop);
    auto& problems = builder.manifest().problems;
    problems.insert(problems.end(), read.problems.begin(), read.problems.end());
    return std::move(read.shard);
  };
  for (const auto& [path, from] : dir.shards) {
    ReadShard shard = take(path, from, DirKind::kData);
    here[path] = {shard.bytes, true};
    builder.add_shard(path, std::move(shard.files), shard.new_bytes);
    databases.insert(path.database);
  }
  for (const auto& [path, from] : dir.wal_shards) {
    ReadShard shard = take(path, from, DirKind::kWal);
    builder.manifest().new_bytes += shard.new_bytes;
    builder.add_wal_shard(path, std::move(shard.files));
  }
  const auto catalog = target.catalog.state();
  PastShards past(target.repository.objects(), *catalog, options.server, builder.manifest().time);
  if (metastore)
    note_missing(builder, *metastore, here, nullptr, past);
  else
    builder.manifest().databases.assign(databases.begin(), databases.end());
  const SnapshotPtr snapshot = builder.publish_unless_as(there);
  options.on_snapshot({snapshot, snapshot == there});
  try {
    seen.now.save(paths.tmp() / "seen", seen_at);
  } catch (const Error& error) {
    log::warning("{}; the next import reads all files", error.what());
  }
  return !snapshot->incomplete();
}

}  // namespace tsmfs::snapshot
