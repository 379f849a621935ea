#include "snapshot/influxdb/shard_tar.h"

#include <fmt/format.h>

#include <utility>

namespace tsmfs::snapshot {

FileSequenceReader read_shard_files(index::Repository& repository,
                                    const std::vector<StoredShard>& shards) {
  std::vector<WantedFile> files;
  for (const StoredShard& shard : shards)
    for (const TreeEntry& file : shard.files) files.push_back({file.file(), file.size});
  return FileSequenceReader(repository.objects(), std::move(files), FileSequenceReader::kThreads);
}

void add_shard_files(TarWriter& tar, FileSequenceReader& content, const StoredShard& shard,
                     const ShardPath& path, const index::DigestKey& key) {
  for (const TreeEntry& file : shard.files)
    tar.add_file(
        {fmt::format("{}/{}", path.text(), file.name), false, file.size, file.mtime, file.mode},
        file.file(), key, content);
}

uint64_t write_shard_tar(index::Repository& repository, const StoredShard& shard,
                         const ShardPath& path, const TarOwner& owner, ByteSink& sink,
                         const std::stop_token& stop) {
  FileSequenceReader content = read_shard_files(repository, {shard});
  TarWriter tar(sink, owner, stop);
  add_shard_files(tar, content, shard, path, repository.key());
  tar.finish();
  return tar.bytes();
}

}  // namespace tsmfs::snapshot
