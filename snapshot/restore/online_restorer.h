// Restores a snapshot, or a part of it, into a running influxd 1.5+, as new databases.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "index/base/name.h"
#include "index/repository/repository.h"
#include "snapshot/influxdb/metastore.h"
#include "snapshot/influxdb/server_settings.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/server/influxd_client.h"
#include "snapshot/server/influxd_upload.h"

namespace tsmfs::snapshot {

struct UploadedShard {
  ShardPath from, to;
  size_t files = 0;
  uint64_t bytes = 0;
  size_t done = 0;  // shards so far, this one too
  size_t total = 0;
};

struct OnlineOptions {
  Filter filter;
  std::optional<Name> new_database;  // nothing keeps the name; else exactly one database is chosen
  std::optional<Name> new_policy;    // nothing keeps the name; else exactly one policy is chosen
  bool with_subscriptions = false;   // a copy under another name keeps them
  bool resurrect_deleted = false;    // restore although the server drops tombstones
  std::function<void(const UploadedShard&)> on_shard;
};

// One database of a restore.
struct OnlineDatabase {
  ImportNames names;
  ByteBuffer meta_db;               // what of the metastore goes to the server
  std::vector<StoredShard> shards;  // .tsm files only
};

struct OnlinePlan {
  std::vector<OnlineDatabase> databases;
  std::vector<std::string> notes;          // what a person should know before
  bool lacks_wal = false;                  // points that the snapshot service cannot bring
  MissingSettings missing;                 // what the snapshot service does not bring
  std::set<std::string> server_databases;  // what the server has now
  size_t shards = 0;
  size_t files = 0;
  uint64_t bytes = 0;
};

struct FailedShard {
  ShardPath from;
  std::string what;
  bool damaged = false;  // the stored data are, not the way to the server
};

struct OnlineReport {
  std::vector<ShardPath> whole;  // as the server has them now
  std::vector<FailedShard> failed;
  uint64_t bytes = 0;
};

// Not thread safe. Requires: the references outlive it; the client has probed.
class OnlineRestorer {
 public:
  OnlineRestorer(index::Repository& repository, SnapshotPtr snapshot, const InfluxdClient& client,
                 const InfluxdUpload& upload, OnlineOptions options, std::stop_token stop);
  // Looks, and changes nothing. Throws: UsageError when the choice makes no sense, when the server
  // has a database of the name, and when points that were deleted would come back; CorruptError,
  // IoError, ProtocolError.
  OnlinePlan plan();
  // What was chosen, and under which names.
  MetaChoice choice() const;
  // `report` says at any time, also after a throw, what is on the server. A shard that fails does
  // not keep the others back. Throws: ProtocolError when the server takes no metastore, Cancelled.
  void run(const OnlinePlan& plan, OnlineReport& report);

 private:
  std::vector<StoredShard> choose(const Metastore& metastore, OnlinePlan& plan) const;
  void note_wal(OnlinePlan& plan) const;
  void check_deletes(const std::vector<StoredShard>& shards, OnlinePlan& plan) const;
  void check_names(const OnlinePlan& plan, const Metastore& there) const;
  void find_missing_settings(ByteView meta_db, const ServerSettings& there, OnlinePlan& plan) const;
  void note_retention(const Metastore& metastore, const OnlineDatabase& database,
                      OnlinePlan& plan) const;
  OnlineDatabase make_database(ByteView meta_db, const MetaDatabase& database,
                               const std::vector<StoredShard>& shards) const;
  ShardNumbers import(const OnlineDatabase& database) const;
  void upload_shard(const StoredShard& shard, const ShardPath& to) const;

  index::Repository& repository_;
  SnapshotPtr snapshot_;
  const InfluxdClient& client_;
  const InfluxdUpload& upload_;
  OnlineOptions options_;
  std::stop_token stop_;
};

}  // namespace tsmfs::snapshot
