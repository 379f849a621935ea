// The import of the runs of `influxd backup`: each becomes a snapshot.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/import/backup_dir.h"
#include "snapshot/import/import.h"
#include "snapshot/import/increments.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/metastore_answer.h"
#include "snapshot/intake/shard_reader.h"
#include "snapshot/intake/snapshot_builder.h"
#include "snapshot/model/whole_trees.h"

namespace tsmfs::snapshot {

// The runs of one form in one directory, oldest first.
class RunImport {
 public:
  RunImport(const BackupDir& dir, const ImportOptions& options, ImportTarget& target,
            std::stop_token stop)
      : dir_(dir),
        options_(options),
        target_(target),
        stop_(std::move(stop)),
        reader_(target.writer, target.repository.local().tmp(), stop_),
        whole_(target.repository, target.writer, stop_) {}
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
  void begin_states(const Manifest& manifest, const Metastore* metastore);
  void load_states(const Manifest& snapshot);
  std::optional<Received> read_archive(const ShardArchive& archive, const Metastore* metastore,
                                       SnapshotBuilder& builder);
  bool is_increment(const std::vector<Received>& received);
  void settle_base(const BackupRun& run, const std::vector<Received>& received,
                   SnapshotBuilder& builder);
  void lay_over_all(std::vector<Received>& received, SnapshotBuilder& builder);
  void drop_removed(const Metastore& metastore, const std::vector<Received>& received,
                    SnapshotBuilder& builder);
  void add_shards(SnapshotBuilder& builder, const std::vector<Received>& received);
  void note_what_lacks(SnapshotBuilder& builder, const BackupRun& run, const Metastore* metastore,
                       const std::vector<Received>& received);

  const BackupDir& dir_;
  const ImportOptions& options_;
  ImportTarget& target_;
  std::stop_token stop_;
  ShardReader reader_;
  WholeTrees whole_;
  States states_;                       // up to the last run
  bool states_from_outside_ = false;    // they are the server's last snapshot, of other files
  bool states_partial_ = false;         // they are those of a partial snapshot
  std::optional<uint64_t> cluster_id_;  // of the last run's server
  SnapshotPtr skipped_;  // the last run, imported earlier: states_ are still to be loaded
  std::set<index::SnapshotId> made_;
};

}  // namespace tsmfs::snapshot
