// The directories of a past server: a snapshot's data and write-ahead log, where they can be
// written to, and its metastore.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/serve/overlay.h"
#include "cli/serve/served_history.h"
#include "cli/serve/served_place.h"
#include "snapshot/restore/restore_plan.h"

namespace tsmfs::cli {

struct ServedPart {
  snapshot::SnapshotPtr snapshot;
  snapshot::Filter filter;      // databases, policy, shard
  bool make_metastore = false;  // as RestoreRequest
  bool tsi1 = false;            // the server makes that index
  bool copy = false;            // nothing is mounted: the data are restored into the place
};

// Ends what it mounted. What was written stays in the place.
class ServedData {
 public:
  // Requires: the references outlive it; unless it copies, this process has mounts of its own, and
  // the working directory is the place. Throws: UsageError when the snapshot does not have what is
  // asked, or has no metastore; BusyError, CorruptError, IoError, Cancelled.
  ServedData(index::Repository& repository, snapshot::Catalog& catalog, const ServedPart& part,
             const ServedPlace& place, size_t cache_bytes, const std::stop_token& stop);

  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  snapshot::RestoreRequest request(const ServedPart& part, const std::stop_token& stop) const;
  void write_metastore(const std::string& meta_db) const;
  void mount(const ServedPart& part, const std::set<uint64_t>& shards, size_t cache_bytes);
  void want_log(const snapshot::ShardPath& shard) const;
  void want_tsi1(const snapshot::ShardPath& shard) const;
  void restore_copy(const ServedPart& part, const std::stop_token& stop);

  index::Repository& repository_;
  snapshot::Catalog& catalog_;
  const ServedPlace& place_;
  std::vector<std::string> warnings_;
  std::optional<ServedHistory> history_;
  std::optional<Overlay> data_, wal_;
};

}  // namespace tsmfs::cli
