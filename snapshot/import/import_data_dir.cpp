// The import of a data directory; declared in import.h.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/log.h"
#include "index/base/quote.h"
#include "snapshot/import/import.h"
#include "snapshot/import/import_manifest.h"
#include "snapshot/import/imported_before.h"
#include "snapshot/import/shard_dir.h"
#include "snapshot/influxdb/derived_metastore.h"
#include "snapshot/influxdb/point_times.h"
#include "snapshot/model/snapshots_of_server.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/model/tree_walk.h"
#include "snapshot/model/whole_trees.h"

namespace tsmfs::snapshot {

namespace {

using Severity = Problem::Severity;

// A server makes a shard every few minutes at most.
constexpr unsigned kListingsMax = 10;

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

// Null when the snapshot is the server's newest.
bool has_metastore(index::Repository& repository, const Manifest& snapshot) {
  return read_tree(repository.objects(), snapshot.meta).find("meta.db") != nullptr;
}

// Reads the WAL before the data: what a server writes to a TSM file meanwhile leaves the WAL only
// when the TSM file is there, so all that it had acknowledged is in one of them.
class DataDirImport {
 public:
  DataDirImport(const DataDir& dir, const ImportOptions& options, ImportTarget& target,
                SnapshotBuilder& builder, std::stop_token stop)
      : dir_(dir),
        options_(options),
        target_(target),
        builder_(builder),
        stop_(std::move(stop)),
        reader_(target.writer, target.repository.local().tmp(), stop_),
        seen_at_(target.repository.local().seen() / Name::require(options.server, "the import")) {
    if (!options.reread) seen_.last = SeenFiles::load(seen_at_);
  }

  void read() {
    for (const auto& [path, from] : dir_.wal_shards) {
      auto shard = take(path, from, DirKind::kWal);
      if (!shard) continue;
      if (options_.make_metastore) wal_.push_back({path, shard->files, shard->bytes});
      builder_.manifest().new_bytes += shard->new_bytes;
      builder_.add_wal_shard(path, std::move(shard->files));
    }
    read_shards();
    if (options_.make_metastore) return make_metastore();
    // After the shards: a server writes of a shard here before it makes or removes one.
    const auto metastore = read_metastore();
    const auto catalog = target_.catalog.state();
    PastShards past(target_.repository.objects(), *catalog, builder_.manifest().server,
                    builder_.manifest().time);
    if (metastore)
      note_missing(builder_, *metastore, here_, nullptr, past);
    else
      builder_.manifest().databases.assign(databases_.begin(), databases_.end());
  }

  void note_movement() {
    if (moved_ && dir_.server.empty())
      builder_.problem(Severity::kWarning, "",
                       "changed while it was read: a server seems to be running, and points and "
                       "deletes that came meanwhile may be in it or not");
  }

  void save_seen() const {
    try {
      seen_.now.save(target_.repository.local().tmp() / "seen", seen_at_);
    } catch (const Error& error) {
      log::warning("{}; the next import reads all files", error.what());
    }
  }

 private:
  // It names what is here, so that nothing can be missing by it.
  void make_metastore() {
    target_.writer.flush();
    PointTimes times = read_point_times(target_.repository.objects(), data_, wal_, stop_);
    DerivedMetastore derived = derive_metastore(times.shards, options_.shard_duration_ns);
    const ByteView meta_db = as_bytes(derived.protobuf);
    add_metastore(builder_, {{meta_db.begin(), meta_db.end()}, {}}, "the derived metastore");
    builder_.problem(Severity::kWarning, "",
                     "has a metastore that was derived from the directories' names and the times "
                     "of the points: users, continuous queries, subscriptions and how long points "
                     "are kept are not in it");
    for (auto* problems : {&times.unread, &derived.notes})
      for (Problem& problem : *problems) builder_.manifest().problems.push_back(std::move(problem));
  }

  std::optional<Metastore> read_metastore() {
    if (dir_.places.meta.empty()) {
      builder_.problem(Severity::kWarning, "",
                       "has no metastore, since --meta-dir was not given: a server ignores shards "
                       "that its metastore does not know; where none is left, --make-metastore "
                       "derives one");
      return std::nullopt;
    }
    try {
      return add_metastore(builder_, read_meta_dir(dir_.places.meta), "meta.db");
    } catch (const ProtocolError& error) {
      builder_.problem(Severity::kIncomplete, "", error.what());
      return std::nullopt;
    }
  }

  // Also those that a server has made since the directory was looked at.
  void read_shards() {
    std::map<ShardPath, std::filesystem::path> shards = dir_.shards;
    std::set<ShardPath> looked_at;
    for (unsigned listing = 0; listing < kListingsMax; ++listing) {
      bool any = false;
      for (const auto& [path, from] : shards)
        if (looked_at.insert(path).second) {
          any = true;
          read_shard(path, from);
        }
      if (!any) return;
      shards = read_data_dir(dir_.places).shards;
    }
  }

  void read_shard(const ShardPath& path, const std::filesystem::path& from) {
    auto shard = take(path, from, DirKind::kData);
    if (!shard) return;
    here_[path] = {shard->bytes, true};
    if (options_.make_metastore) data_.push_back({path, shard->files, shard->bytes});
    builder_.add_shard(path, std::move(shard->files), shard->new_bytes);
    databases_.insert(path.database);
  }

  // Nothing for a shard that is gone.
  std::optional<ReadShard> take(const ShardPath& path, const std::filesystem::path& from,
                                DirKind kind) {
    DirShard read =
        read_shard_dir(from, path, kind, reader_, target_.writer.digest_key(), seen_, stop_);
    for (Problem& problem : read.problems)
      builder_.manifest().problems.push_back(std::move(problem));
    moved_ |= read.moved || read.gone;
    if (!read.gone) return std::move(read.shard);
    if (kind == DirKind::kData)
      builder_.problem(Severity::kWarning, path.text(),
                       "was removed while the directory was read, as a server does when it drops "
                       "a shard");
    return std::nullopt;
  }

  const DataDir& dir_;
  const ImportOptions& options_;
  ImportTarget& target_;
  SnapshotBuilder& builder_;
  std::stop_token stop_;
  ShardReader reader_;
  std::filesystem::path seen_at_;
  SeenByImports seen_;
  std::map<ShardPath, ShardHere> here_;
  std::vector<StoredShard> data_, wal_;  // for a derived metastore only
  std::set<std::string> databases_;
  bool moved_ = false;
};

}  // namespace

bool import_data_dir(const DataDir& dir, const ImportOptions& options, ImportTarget& target,
                     std::stop_token stop) {
  Manifest manifest =
      begin_imported(*target.catalog.refresh(),
                     {options.time.value_or(dir.changed), options.server,
                      resolved_path(dir.places.data).string(), std::string(kDataDirImport)});
  SnapshotPtr there = find_imported(*target.catalog.state(), manifest, [&](const auto& is) {
    return !options.make_metastore || has_metastore(target.repository, is);
  });
  if (!there && options.time) there = find_other_of_time(*target.catalog.state(), manifest);
  // Of another directory it may be another one that last changed at that time.
  const bool same = there && (options.time || there->address == manifest.address);
  if (same && !there->incomplete() && !options.shard_duration_ns &&
      WholeTrees(target.repository, target.writer, stop).holds(*there)) {
    if (!options.time && !dir.changed_is_known) throw_unknown_change(dir, *there);
    report_there(there, options, target);
    return true;
  }
  manifest.problems = dir.problems;
  manifest.tags = options.tags;
  SnapshotBuilder builder(target.repository, target.writer, target.catalog, std::move(manifest));
  DataDirImport import(dir, options, target, builder, std::move(stop));
  import.read();
  import.note_movement();
  const SnapshotPtr snapshot = builder.publish_unless_as(there);
  if (snapshot == there)
    report_there(there, options, target);
  else
    options.on_snapshot({.snapshot = snapshot,
                         .newer = options.time ? nullptr
                                               : newest_after(*target.catalog.state(),
                                                              snapshot->server, snapshot->time)});
  import.save_seen();
  return !snapshot->incomplete();
}

}  // namespace tsmfs::snapshot
