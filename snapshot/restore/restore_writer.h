// Puts shards into a data directory: each appears whole, durable and checked, or not at all.
//
// A shard is written beside its place, as ".<shard>.tsmfs-restore", which influxd ignores. Shards
// are made durable a batch at a time while the next batch is written, and then renamed into place,
// so that the disk is not made to wait for each file. All of it is done in held directories
// (index/base/held_directory.h): whoever owns the data directory may write to it meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "index/base/file.h"
#include "index/format/digest.h"
#include "index/repository/file_reader.h"
#include "snapshot/restore/restore_plan.h"
#include "snapshot/restore/restore_tree.h"

namespace tsmfs::snapshot {

// Not thread safe. Destroyed without commit(), or after a throw, it removes what is not in place,
// and the directories that it made in vain; whole shards stay. Requires: all references outlive it.
class RestoreWriter {
 public:
  static constexpr uint64_t kBatchBytesMax = uint64_t{256} << 20;
  static constexpr uint64_t kBytesUncommittedMax = 2 * kBatchBytesMax;  // and a shard
  using OnShard = std::function<void(const RestoreShard&)>;

  // `on_shard` is told of each shard that is in place, by a thread of the writer's, one at a time.
  RestoreWriter(const index::DigestKey& key, const std::filesystem::path& datadir,
                const Owner& owner, OnShard on_shard);
  ~RestoreWriter();
  RestoreWriter(const RestoreWriter&) = delete;
  RestoreWriter& operator=(const RestoreWriter&) = delete;

  const Directory& datadir() const { return tree_.root(); }

  // Each shard: begin_shard(), its files in order (begin_file(), write()s, end_file()),
  // end_shard(). Throw: IoError; UsageError when something is in the way that the plan did not
  // find; end_file() CorruptError when what was written is not the file that it is to be.
  void begin_shard(const RestoreShard& shard);
  void begin_file(const TreeEntry& file);
  void write(const std::vector<index::Slice>& slices);
  void end_file();
  void end_shard();
  // On return all shards are in place and durable.
  void commit();

 private:
  struct StagedFile {
    Fd fd;
    std::string name;
  };
  struct StagedShard {
    const RestoreShard* shard;
    std::shared_ptr<const Directory> parent;
    std::string name;               // its own, in `parent`
    Directory staging;              // beside() that name at first
    std::vector<StagedFile> files;  // not synced yet
  };
  struct Batch {
    std::vector<StagedShard> shards;
    uint64_t bytes = 0;
    size_t open_files = 0;  // and directories
  };
  void start_commit();
  void finish_commit();
  void sync_files(StagedShard& shard) const;
  void put_in_place(Batch& batch) const;

  const index::DigestKey& key_;
  const OnShard on_shard_;
  RestoreTree tree_;
  std::shared_ptr<Batch> batch_, committing_;
  std::future<void> commit_;

  const TreeEntry* file_ = nullptr;  // being written
  std::optional<index::DigestStream> digest_;
};

}  // namespace tsmfs::snapshot
