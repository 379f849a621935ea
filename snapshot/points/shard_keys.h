// The keys of a shard in order, each with the files that have it and what the write-ahead log has.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "index/format/digest.h"
#include "index/repository/object_reader.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/points/log_points.h"
#include "snapshot/points/point_file.h"
#include "snapshot/points/shard_problems.h"

namespace tsmfs::snapshot {

struct ShardFiles {
  const StoredShard* data = nullptr;  // one of them may be missing
  const StoredShard* log = nullptr;
};

// Not thread safe. Memory: of each TSM file what PointFile needs, and the log's points.
class ShardKeys {
 public:
  // Reads the log and the tombstones. What cannot be read is told to `problems`, also later.
  // Requires: all outlive it. Throws: Cancelled, IoError.
  ShardKeys(index::ObjectReader& objects, const ShardFiles& files, const index::DigestKey& digests,
            ShardProblems& problems, const std::stop_token& stop);
  ShardKeys(const ShardKeys&) = delete;
  ShardKeys& operator=(const ShardKeys&) = delete;

  // The next key; false at the end. Throws: IoError.
  bool next();
  const std::string& key() const { return key_; }
  // Numbers of the files that have the key, in order of their names.
  std::span<const size_t> files() const { return with_key_; }
  PointFile& file(size_t number) { return *files_[number]; }
  // Null when the log has no points of the key.
  const LogPoints::Key* log() const { return in_log_; }

 private:
  void read_log(const StoredShard& shard);
  void open_files(const StoredShard& shard);
  void open_file(const StoredShard& shard, const TreeEntry& entry);
  void advance(size_t file);
  // Damage that `read` meets is a problem of the file.
  template <typename Read>
  void reading(const std::string& file, const Read& read);

  index::ObjectReader& objects_;
  const index::DigestKey& digests_;
  ShardProblems& problems_;
  const std::stop_token& stop_;
  LogPoints log_;
  LogPoints::Keys::const_iterator next_in_log_;
  std::vector<std::unique_ptr<PointFile>> files_;
  std::vector<size_t> heap_;      // files that have a key to come, the smallest key first
  std::vector<size_t> with_key_;  // not in the heap
  std::string key_;
  const LogPoints::Key* in_log_ = nullptr;
};

}  // namespace tsmfs::snapshot
