// Writes a snapshot in the forms that other programs take: what influxd restore accepts, and a
// plain tar.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "index/repository/repository.h"
#include "snapshot/influxdb/export_choice.h"
#include "snapshot/model/catalog.h"
#include "snapshot/model/filter.h"
#include "snapshot/model/manifest.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/stream/byte_sink.h"
#include "snapshot/stream/tar_member.h"

namespace tsmfs::snapshot {

struct ExportedShard {
  ShardPath path;
  size_t files = 0;
  uint64_t bytes = 0;
  size_t done = 0;  // shards so far, this one too
  size_t total = 0;
};

struct ExportOptions {
  Filter filter;
  TarOwner owner;
  // Write the portable form although influxd restore drops tombstones.
  bool resurrect_deleted = false;
  unsigned jobs = 2;  // shards written at once, where each has a file of its own
  // One call at a time.
  std::function<void(const ExportedShard&)> on_shard;
};

struct ExportReport {
  size_t shards = 0;
  size_t files = 0;
  uint64_t bytes = 0;                 // of data files
  std::vector<std::string> warnings;  // what influxd restore will do wrong with it
  std::vector<std::string> left_out;  // of what was asked for: the form has no place for it
  std::vector<std::string> notes;     // what else a person should know of it
};

// Not thread safe. Requires: the references outlive it. All throw: UsageError when the snapshot
// does not have what the filter names (export_choice.h); CorruptError when what is stored is
// damaged, IoError, Cancelled; nothing has appeared then.
class Exporter {
 public:
  Exporter(index::Repository& repository, SnapshotPtr snapshot, ExportOptions options,
           std::stop_token stop);

  // As influxd backup: `directory`/meta.00, and db.rp.SSSSS.00 for each shard. The metastore is the
  // whole one, whatever the filter. Requires: `directory` is absent or empty (UsageError): influxd
  // restore would mix an export with the backup that it finds there.
  ExportReport write_legacy(const std::filesystem::path& directory);
  // As influxd backup -portable: YYYYMMDDTHHMMSSZ.manifest, .meta and .sID.tar.gz, by the
  // snapshot's time. With a filter the metastore holds no more than the filter lets through:
  // influxd restore would make the rest as empty databases. Requires: as write_legacy. Throws also:
  // UsageError when points that were deleted would come back, and that is not wanted.
  ExportReport write_portable(const std::filesystem::path& directory);
  // One tar: database/policy/shard/file, and meta/meta.db, whole, first.
  ExportReport write_tar(ByteSink& sink);
  // The same into a file that appears when it is whole. Requires: there is no such file yet
  // (UsageError).
  ExportReport write_tar_file(const std::filesystem::path& file);

 private:
  ExportChoice choose() const;
  ExportReport sum(const ExportChoice& chosen) const;
  // The whole tar of a shard; its length.
  uint64_t write_shard(const StoredShard& shard, ByteSink& sink, const std::stop_token& stop) const;
  // Calls write(i, stop) for each shard, on several threads. Throws what a call threw, when the
  // others have ended.
  void for_each_shard(const std::vector<StoredShard>& shards,
                      const std::function<void(size_t, const std::stop_token&)>& write) const;
  void report(const StoredShard& shard, size_t done, size_t total) const;
  // What influxd restore -portable will do with them. Throws: as write_portable().
  std::vector<std::string> not_portable() const;
  std::vector<std::string> portable_notes(const std::vector<StoredShard>& shards) const;
  ByteBuffer portable_metastore(const std::vector<StoredShard>& shards) const;

  index::Repository& repository_;
  SnapshotPtr snapshot_;
  ExportOptions options_;
  std::stop_token stop_;
};

}  // namespace tsmfs::snapshot
