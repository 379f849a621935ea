#include "snapshot/import/run_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/quote.h"
#include "index/repository/stored_source.h"
#include "snapshot/import/import_manifest.h"
#include "snapshot/import/imported_before.h"
#include "snapshot/model/metastore_limit.h"
#include "snapshot/model/tree_walk.h"

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

// As `influxd backup -shard` alone leaves it: without the names of database and policy.
bool is_of_one_shard(const BackupRun& run) {
  if (run.archives.size() != 1 || !run.listed) return false;
  const ShardArchive& archive = run.archives.front();
  return run.form == BackupRun::Form::kPortable ? !archive.path : archive.names == ".";
}

}  // namespace

bool RunImport::import(const BackupRun& run) {
  Manifest manifest = manifest_of(run);
  SnapshotPtr there = find_imported(*target_.catalog.state(), manifest);
  if (!there && options_.time) there = find_other_of_time(*target_.catalog.state(), manifest);
  if (there && made_.contains(there->id)) there = nullptr;  // two runs of one second
  // Of another directory it may be another run of that second.
  const bool same = there && (options_.time || there->address == manifest.address);
  if (same && !there->incomplete() && whole_.holds(*there)) {
    skipped_ = there;
    report_there(there, options_, target_);
    return true;
  }
  SnapshotBuilder builder(target_.repository, target_.writer, target_.catalog, std::move(manifest));
  for (const Problem& problem : run.problems) builder.manifest().problems.push_back(problem);
  const auto answer = read_metastore(run, builder);
  const auto parsed =
      answer ? add_metastore(builder, *answer, quote(run.metastore.filename().string()))
             : std::nullopt;
  const Metastore* const metastore = parsed ? &*parsed : nullptr;
  begin_states(builder.manifest(), metastore);
  std::vector<Received> received;
  for (const ShardArchive& archive : run.archives)
    if (auto read = read_archive(archive, metastore, builder)) received.push_back(std::move(*read));
  target_.writer.flush();
  settle_base(run, received, builder);
  lay_over_all(received, builder);
  if (metastore != nullptr) drop_removed(*metastore, received, builder);
  add_shards(builder, received);
  note_what_lacks(builder, run, metastore, received);
  const SnapshotPtr snapshot = builder.publish_unless_as(there);
  made_.insert(snapshot->id);
  if (snapshot == there)
    report_there(there, options_, target_);
  else
    options_.on_snapshot({snapshot});
  return !snapshot->incomplete();
}

Manifest RunImport::manifest_of(const BackupRun& run) {
  const bool legacy = run.form == BackupRun::Form::kLegacy;
  Manifest manifest =
      begin_imported(*target_.catalog.refresh(),
                     {options_.time.value_or(run.time), options_.server, address_of(dir_.path),
                      std::string(legacy ? kLegacyImport : kPortableImport)});
  manifest.tags = options_.tags;
  return manifest;
}

std::optional<MetastoreAnswer> RunImport::read_metastore(const BackupRun& run,
                                                         SnapshotBuilder& builder) {
  if (run.metastore.empty()) return std::nullopt;
  try {
    return read_run_metastore(run);
  } catch (const ProtocolError& error) {
    builder.problem(Severity::kIncomplete, "", error.what());
    return std::nullopt;
  }
}

// What the run may be laid over: the runs before it, or for the first the server's last snapshot;
// never what another server wrote.
void RunImport::begin_states(const Manifest& manifest, const Metastore* metastore) {
  if (const SnapshotPtr skipped = std::exchange(skipped_, nullptr)) load_states(*skipped);
  states_from_outside_ = states_.empty();
  if (states_from_outside_)
    for (const SnapshotPtr& snapshot : target_.catalog.state()->snapshots)
      if (snapshot->id == manifest.parent) load_states(*snapshot);
  if (states_from_outside_ && (metastore == nullptr || !cluster_id_)) states_.clear();
  if (metastore == nullptr) return;
  if (cluster_id_ && *cluster_id_ != metastore->cluster_id()) states_.clear();
  cluster_id_ = metastore->cluster_id();
}

void RunImport::load_states(const Manifest& snapshot) {
  states_.clear();
  states_partial_ = snapshot.partial;
  index::ObjectReader& objects = target_.repository.objects();
  for (const auto& [path, entry] : shard_entries(objects, snapshot.data))
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
    if (!fits(archive, *path))
      builder.problem(
          Severity::kWarning, path->text(),
          fmt::format("is what {} holds, though its name or its manifest says something "
                      "else",
                      quote(name)));
    received = Received{*path, {}, {}};
    const auto stream = open_archive(archive, stop_);
    reader_.read(*path, *stream, received->shard);
  } catch (const ProtocolError& error) {
    if (!received && archive.path) received = Received{*archive.path, {}, {}};
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

bool RunImport::is_increment(const std::vector<Received>& received) {
  std::optional<Timestamp> oldest;
  for (const Received& each : received)
    if (const auto first = oldest_of(each.shard.files); first && (!oldest || *first < *oldest))
      oldest = first;
  return std::any_of(received.begin(), received.end(), [&](const Received& each) {
    const auto earlier = states_.find(each.path);
    return each.damage.empty() && earlier != states_.end() &&
           !lacking_files(target_.repository.objects(), earlier->second.files, each.shard.files,
                          oldest)
                .empty();
  });
}

// A portable run, and any that is the first of its directory, stands alone unless it shows that it
// is an increment. Legacy runs of one directory are increments by what they are.
void RunImport::settle_base(const BackupRun& run, const std::vector<Received>& received,
                            SnapshotBuilder& builder) {
  const bool portable = run.form == BackupRun::Form::kPortable;
  if (!portable && !states_from_outside_) {
    builder.manifest().partial = states_partial_;
    return;
  }
  if (is_increment(received)) {
    builder.manifest().partial = states_partial_;
    builder.problem(Severity::kWarning, "",
                    fmt::format("holds only what had changed, or what is of some time (-since, "
                                "-start, -end): laid over {}",
                                states_from_outside_ ? "the server's last snapshot before it"
                                                     : "the runs before it in its directory"));
    return;
  }
  const auto lacks_all = [&](const Received& each) {
    return each.damage.empty() && each.shard.files.empty() && !states_.contains(each.path);
  };
  const auto empty = std::count_if(received.begin(), received.end(), lacks_all);
  builder.manifest().partial = run.limited || empty > 0;
  if (empty > 0)
    builder.problem(Severity::kWarning, "",
                    fmt::format("has nothing of {} of its shards, as backups made with -since, "
                                "-start or -end have: what it is to be laid over is not here",
                                empty));
  states_partial_ = builder.manifest().partial;
  states_.clear();
}

void RunImport::lay_over_all(std::vector<Received>& received, SnapshotBuilder& builder) {
  for (Received& each : received) {
    for (const FileDefect& defect : each.shard.defects)
      builder.problem(Severity::kWarning, each.path.text() + "/" + defect.file,
                      "is not a sound TSM file: " + defect.what + "; stored as it is");
    add_archive(target_.repository.objects(), each.path, each.shard.files, each.damage,
                states_[each.path], builder.manifest().problems);
  }
}

// Retention, or DROP: restored, such a shard would be ignored until a new one is given its number.
// What this run holds is kept nevertheless.
void RunImport::drop_removed(const Metastore& metastore, const std::vector<Received>& received,
                             SnapshotBuilder& builder) {
  std::set<ShardPath> unknown;
  for (const Received& each : received)
    if (!metastore.has_shard(each.path) && unknown.insert(each.path).second)
      builder.problem(Severity::kWarning, each.path.text(),
                      "is not in the metastore of its run: a server ignores such a shard");
  std::erase_if(states_, [&](const auto& entry) {
    return !metastore.has_shard(entry.first) && !unknown.contains(entry.first);
  });
}

void RunImport::add_shards(SnapshotBuilder& builder, const std::vector<Received>& received) {
  std::map<ShardPath, uint64_t> new_bytes;
  for (const Received& each : received) new_bytes[each.path] += each.shard.new_bytes;
  for (const auto& [path, state] : states_) {
    if (!state.damage.empty()) builder.problem(Severity::kIncomplete, path.text(), state.damage);
    builder.add_shard(path, state.files, new_bytes[path]);
  }
}

void RunImport::note_what_lacks(SnapshotBuilder& builder, const BackupRun& run,
                                const Metastore* metastore, const std::vector<Received>& received) {
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
  if (is_of_one_shard(run) && received.size() == 1)
    builder.manifest().filter.shard = received.front().path.shard;
  const auto catalog = target_.catalog.state();
  PastShards past(target_.repository.objects(), *catalog, options_.server, builder.manifest().time);
  if (metastore != nullptr)
    note_missing(builder, *metastore, here, run.listed ? &asked : nullptr, past);
  if (!builder.manifest().partial)
    note_shrunk(builder, target_.repository.objects(), *target_.catalog.state(), bytes);
}

}  // namespace tsmfs::snapshot
