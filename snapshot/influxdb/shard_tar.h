// Stored shards as influxd streams them: a tar of database/policy/shard/file.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "index/repository/repository.h"
#include "snapshot/model/shard_path.h"
#include "snapshot/model/stored_shards.h"
#include "snapshot/stream/byte_sink.h"
#include "snapshot/stream/file_sequence_reader.h"
#include "snapshot/stream/tar_member.h"
#include "snapshot/stream/tar_writer.h"

namespace tsmfs::snapshot {

// Reads the files of these shards one behind the other. Requires: `repository` outlives it.
FileSequenceReader read_shard_files(index::Repository& repository,
                                    const std::vector<StoredShard>& shards);
// The shard's files, the next that `content` reads, below the path that it has there. Throws: as
// TarWriter::add_file().
void add_shard_files(TarWriter& tar, FileSequenceReader& content, const StoredShard& shard,
                     const ShardPath& path, const index::DigestKey& key);
// The whole tar of one shard, and its length. Throws: as TarWriter::add_file().
uint64_t write_shard_tar(index::Repository& repository, const StoredShard& shard,
                         const ShardPath& path, const TarOwner& owner, ByteSink& sink,
                         const std::stop_token& stop);

}  // namespace tsmfs::snapshot
