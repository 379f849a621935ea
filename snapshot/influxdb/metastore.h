// What a server knows of its databases: a view of meta.db, the protobuf that a metastore request
// answers.
//
// A shard group that the server has marked as deleted is not there, though it is in the metastore
// for a while: its shards' numbers may be in use again. Metastore::has_shard() and find_shard() are
// the ones who know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/base/timestamp.h"
#include "snapshot/model/shard_path.h"

namespace tsmfs::snapshot {

// What parsing a metastore may take in memory beyond what its bytes hold, once: libprotobuf
// reserves as much as the length of a string claims up to kSafeStringSize (parse_context.h), where
// the message around it makes such a claim too, and then fails.
constexpr size_t kMetastoreClaimMax = 50'000'000;

// Every server has a database of this name of its own.
inline constexpr const char* kInternalDatabase = "_internal";

struct MetaShardGroup {
  uint64_t id = 0;
  Timestamp start;  // inclusive
  Timestamp end;    // exclusive
  // When retention took it; its shards may be on disk for a while yet.
  std::optional<Timestamp> deleted;
  std::optional<Timestamp> truncated;
  std::vector<uint64_t> shards;
};

// Names are kept as they are stored, so that a metastore that lies can be described: to name
// anything on disk they have to become a Name.
struct MetaPolicy {
  std::string name;
  int64_t duration_ns = 0;  // 0: for ever
  int64_t shard_group_duration_ns = 0;
  uint32_t replicas = 0;
  std::vector<MetaShardGroup> groups;
};

struct MetaDatabase {
  std::string name;
  std::string default_policy;  // empty when there is none
  std::vector<MetaPolicy> policies;
};

// Where a shard belongs. Good as long as the Metastore.
struct MetaShardPlace {
  const MetaDatabase* database = nullptr;
  const MetaPolicy* policy = nullptr;
  const MetaShardGroup* group = nullptr;
};

// Immutable once made.
class Metastore {
 public:
  // Throws: CorruptError, naming `object`, for anything but a metastore of at most
  // kMetastoreBytesMax.
  static Metastore parse(ByteView protobuf, std::string_view object);
  const std::vector<MetaDatabase>& databases() const { return databases_; }
  const MetaDatabase* find_database(std::string_view name) const;
  // Where the shard is, as the server sees it: in a group that has not been deleted, if there is
  // one; then in a deleted one, whose numbers may have been given again.
  std::optional<MetaShardPlace> find_shard(uint64_t id) const;
  // Whether a shard belongs there, in a group that has not been deleted.
  bool has_shard(const ShardPath& path) const;
  // The server's own count of changes to its metastore (the raft index): equal means unchanged.
  uint64_t change_index() const { return change_index_; }
  uint64_t cluster_id() const { return cluster_id_; }

 private:
  struct ShardEntry {
    uint64_t id = 0;
    size_t database = 0, policy = 0, group = 0;
  };
  Metastore() = default;
  MetaShardPlace place(const ShardEntry& entry) const;
  void index_shards();

  std::vector<MetaDatabase> databases_;
  std::vector<ShardEntry> shards_;  // sorted by id, those of deleted groups behind the others
  uint64_t change_index_ = 0;
  uint64_t cluster_id_ = 0;
};

}  // namespace tsmfs::snapshot
