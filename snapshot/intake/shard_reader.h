// Takes a shard's tar stream into a repository, file by file.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "index/repository/repository_writer.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/tree.h"
#include "snapshot/stream/byte_stream.h"
#include "snapshot/stream/spool.h"
#include "snapshot/stream/tar_reader.h"

namespace tsmfs::snapshot {

// A TSM file that is stored, and is not sound.
struct FileDefect {
  std::string file;
  index::FileId id;
  std::string what;
  bool operator==(const FileDefect&) const = default;
};

struct ReadShard {
  std::vector<TreeEntry> files;
  uint64_t bytes = 0;
  uint64_t new_bytes = 0;
  std::vector<FileDefect> defects;
  bool new_defects = false;  // one of them was never seen before
};

// InfluxDB's shards have some GB; this bounds what a server that never ends can fill.
constexpr uint64_t kShardBytesMaxDefault = uint64_t{1} << 40;

// One a thread. Requires: the writer outlives it.
class ShardReader {
 public:
  // `spool_directory` takes what does not fit in memory. `received_bytes` grows as streams are
  // read.
  ShardReader(index::RepositoryWriter& writer, const std::filesystem::path& spool_directory,
              std::stop_token stop, std::atomic<uint64_t>* received_bytes = nullptr);
  // A larger shard is taken for a stream without end. Call it before read().
  void set_shard_bytes_max(uint64_t bytes) { shard_bytes_max_ = bytes; }
  // Adds to `shard` what the stream holds; after a throw, what came whole before. What every server
  // makes again at its start (index/, fields.idx, fields.idxl) is left out. Throws: ProtocolError
  // for a stream that is not a whole tar of this shard's files; IoError; Cancelled.
  void read(const ShardPath& path, ByteStream& stream, ReadShard& shard);
  // Stores one file. Requires: `file` is a name fit to stand in a directory. Throws: IoError,
  // Cancelled.
  void store(const Name& file, index::ByteSource& source, const index::FileId& id, Timestamp mtime,
             ReadShard& shard);

  // Takes a file that is stored already, without its content; false when it is not. Throws:
  // IoError, CorruptError.
  bool take_stored(const Name& file, const index::FileId& id, uint64_t size, Timestamp mtime,
                   ReadShard& shard);

 private:
  index::RepositoryWriter& writer_;
  Spool spool_;
  std::stop_token stop_;
  std::atomic<uint64_t>* received_bytes_;
  uint64_t shard_bytes_max_ = kShardBytesMaxDefault;
};

// True for what influxd keeps in a shard and makes again when it starts.
bool is_rebuilt_at_start(std::string_view file);

}  // namespace tsmfs::snapshot
