// Puts a snapshot together from its shards and its metastore, whichever way they came, and
// publishes it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "index/repository/repository.h"
#include "index/repository/repository_writer.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"

namespace tsmfs::snapshot {

// Not thread safe. Requires: all references outlive it; the writer is the repository's.
class SnapshotBuilder {
 public:
  // `manifest` has what the caller knows: time, server, address, dialect, filter, parent. The rest
  // is filled in.
  SnapshotBuilder(index::Repository& repository, index::RepositoryWriter& writer, Catalog& catalog,
                  Manifest manifest);

  Manifest& manifest() { return manifest_; }
  void problem(Problem::Severity severity, std::string path, std::string what);
  // The files of a shard; an empty one becomes an empty directory. One of which bytes are lost in
  // the repository, as an earlier snapshot's may be, is named as a problem, and so is one whose
  // name keeps influxd from opening the shard.
  void add_shard(const ShardPath& path, std::vector<TreeEntry> files, uint64_t new_bytes);
  // A file of /meta, owner-only: it holds password hashes.
  void add_meta_file(const Name& name, ByteView content);
  // A shard's files of the WAL directory.
  void add_wal_shard(const ShardPath& path, std::vector<TreeEntry> files);
  // Makes everything durable and publishes. Throws: IoError, UsageError on names that clash.
  SnapshotPtr publish();
  // As publish(), but publishes nothing, and returns `earlier`, where the two would hold the same
  // and lack something both or neither. `earlier` may be null. Throws: as publish().
  SnapshotPtr publish_unless_as(const SnapshotPtr& earlier);

 private:
  std::vector<TreeEntry> without_losses(const ShardPath& path, std::vector<TreeEntry> files);
  void store();

  index::Repository& repository_;
  index::RepositoryWriter& writer_;
  Catalog& catalog_;
  Manifest manifest_;
  uint64_t stored_before_;  // by the writer, for snapshots before this one
  std::optional<Tree> parent_meta_;
  std::map<ShardPath, std::vector<TreeEntry>> shards_;
  std::map<ShardPath, std::vector<TreeEntry>> wal_shards_;
  std::vector<TreeEntry> meta_;
};

// Publishes a manifest whose trees `writer` was given: everything is made durable first. Throws:
// InvariantError, with nothing published, when a tree is not there even so; IoError.
SnapshotPtr publish_durably(index::RepositoryWriter& writer, Catalog& catalog, Manifest manifest);

}  // namespace tsmfs::snapshot
