#include "cli/serve/served_data.h"

#include <fcntl.h>

#include <set>

#include "cli/serve/memory_need.h"
#include "fs/snapshot_names.h"
#include "index/base/directory.h"
#include "index/base/error.h"
#include "index/base/file.h"
#include "snapshot/influxdb/metastore_edit.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/restore/restore_metastore.h"
#include "snapshot/restore/restorer.h"

namespace tsmfs::cli {

namespace {

namespace stdfs = std::filesystem;

// Without ':', which is between the layers of an overlay.
constexpr const char* kTimeFormat = "%Y-%m-%dT%H-%M-%SZ";

// Of what `lower` shows only these shards are to be seen: others, which the metastore does not know
// or which are not asked for, influxd would open for nothing. What lies in `upper` hides them, at
// the highest level that is hidden as a whole.
class Hider {
 public:
  Hider(stdfs::path lower, stdfs::path upper, const std::set<uint64_t>& shards)
      : lower_(std::move(lower)), upper_(std::move(upper)), shards_(shards) {}

  // False when that is for fuse-overlayfs alone.
  bool hide_others() const {
    make_directories(upper_);
    std::vector<stdfs::path> others;
    find_others({}, 0, others);
    bool for_kernel = true;
    for (const stdfs::path& path : others) {
      make_directories((upper_ / path).parent_path());
      for_kernel &= Overlay::hide(upper_ / path);
    }
    return for_kernel;
  }

 private:
  static constexpr int kShardDepth = 3;  // <database>/<policy>/<shard>

  bool is_wanted(const stdfs::path& shard) const {
    const auto number = snapshot::parse_shard_path(shard.string());
    return number && shards_.contains(number->shard);
  }
  // Whether a shard that is wanted lies there. Adds what does not, unless none does.
  bool find_others(const stdfs::path& below, int depth, std::vector<stdfs::path>& others) const {
    if (depth == kShardDepth) return is_wanted(below);
    const size_t before = others.size();
    bool wanted = false;
    for (const std::string& name : list_directory(lower_ / below)) {
      if (find_others(below / name, depth + 1, others))
        wanted = true;
      else
        others.push_back(below / name);
    }
    if (!wanted && depth > 0) others.resize(before);
    return wanted;
  }

  const stdfs::path lower_, upper_;
  const std::set<uint64_t>& shards_;
};

fs::MountOptions mount_options(const index::Repository& repository, const ServedPlace& place,
                               size_t cache_bytes) {
  fs::MountOptions options = fs::MountOptions::for_caller();
  options.source = repository.storage().location();
  options.mountpoint = place.history();
  options.time_format = kTimeFormat;
  options.cache_bytes = cache_bytes;
  return options;
}

}  // namespace

ServedData::ServedData(index::Repository& repository, snapshot::Catalog& catalog,
                       const ServedPart& part, const ServedPlace& place, size_t cache_bytes,
                       const std::stop_token& stop)
    : repository_(repository), catalog_(catalog), place_(place) {
  if (part.copy) {
    restore_copy(part, stop);
    return;
  }
  if (!part.tsi1) {
    auto warning = memory_warning(repository.objects(), *part.snapshot, part.filter);
    if (!warning.empty()) warnings_.push_back(std::move(warning));
  }
  const auto wanted = request(part, stop);
  const auto stored = snapshot::metastore_to_restore(repository, wanted, warnings_);
  const ByteView meta_db = as_bytes(stored.value());
  const auto edit = snapshot::filter_metastore(meta_db, wanted.choice, {});
  warnings_.insert(warnings_.end(), edit.notes.begin(), edit.notes.end());
  write_metastore(edit.protobuf);
  std::set<uint64_t> shards;
  for (const auto& [number, path] : edit.moves) shards.insert(number);
  mount(part, shards, cache_bytes);
  for (const auto& [number, path] : edit.moves)
    if (part.tsi1)
      want_tsi1(path);
    else if (path_exists(snapshot::shard_directory(place_.wal(), path)))
      want_log(path);
}

snapshot::RestoreRequest ServedData::request(const ServedPart& part,
                                             const std::stop_token& stop) const {
  snapshot::RestoreRequest request;
  request.snapshot = part.snapshot;
  request.choice.filter = part.filter;
  request.metadir = place_.meta();
  request.make_metastore = part.make_metastore;
  request.stop = stop;
  return request;
}

// The one that is there has what was done to the server since.
void ServedData::write_metastore(const std::string& meta_db) const {
  const stdfs::path path = snapshot::meta_db_path(place_.meta());
  make_directories(place_.meta());
  if (path_exists(path)) return;
  AtomicFile file(place_.meta() / "meta.db.new", path);
  file.write(as_bytes(meta_db));
  file.publish();
}

void ServedData::mount(const ServedPart& part, const std::set<uint64_t>& shards,
                       size_t cache_bytes) {
  make_directories(place_.history());
  try {
    history_.emplace(repository_, catalog_, mount_options(repository_, place_, cache_bytes));
  } catch (const IoError&) {
    throw;
  } catch (const Error& error) {
    throw Error(error.what(),
                "the lines above say why; --copy mounts nothing, and copies the data");
  }
  const fs::SnapshotNames names(catalog_.refresh(), kTimeFormat, nullptr);
  const fs::ShownSnapshot* shown = names.find(part.snapshot->number);
  if (shown == nullptr)
    throw Error("snapshot " + part.snapshot->short_id() + " is not there any more");
  const auto overlay = [&](const char* section, const stdfs::path& seen, const char* name) {
    OverlayPlaces places;
    places.lower = stdfs::path("history") / section / shown->name;
    places.upper = stdfs::path("layers") / name;
    places.work = stdfs::path("layers") / (std::string(name) + ".work");
    places.seen = seen.filename();
    places.lasting = place_.is_kept();
    places.for_kernel = Hider(places.lower, places.upper, shards).hide_others();
    return places;
  };
  data_.emplace(overlay("backups", place_.data(), "data"));
  make_directories(place_.wal());
  if (path_exists(place_.history() / "wal" / shown->name))
    wal_.emplace(overlay("wal", place_.wal(), "wal"));
}

// influxd reads the log of a shard only if that has a directory among the data.
void ServedData::want_log(const snapshot::ShardPath& shard) const {
  make_directories(snapshot::shard_directory(place_.data(), shard));
}

// influxd opens a shard with the index in memory unless it has a directory for one. An index that
// is empty it makes from the TSM files.
void ServedData::want_tsi1(const snapshot::ShardPath& shard) const {
  make_directories(snapshot::shard_directory(place_.data(), shard) / "index");
}

// Once: what is there already has what was written to it since.
void ServedData::restore_copy(const ServedPart& part, const std::stop_token& stop) {
  for (const auto& directory : {place_.meta(), place_.data(), place_.wal()})
    make_directories(directory);
  if (path_exists(snapshot::meta_db_path(place_.meta()))) return;
  auto wanted = request(part, stop);
  wanted.datadir = place_.data();
  if (!snapshot::stored_wal(repository_.objects(), *part.snapshot, part.filter).empty())
    wanted.waldir = place_.wal();
  wanted.overwrite = true;  // of one that was ended in between
  const auto plan = snapshot::plan_restore(repository_, wanted);
  snapshot::check_target(plan, wanted);
  warnings_ = plan.warnings;
  snapshot::restore(repository_, plan, wanted, {}, stop);
  if (part.tsi1)
    for (const auto& shard : plan.shards) want_tsi1(shard.to);
}

}  // namespace tsmfs::cli
