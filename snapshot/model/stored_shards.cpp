#include "snapshot/model/stored_shards.h"

#include <fmt/format.h>

#include <algorithm>

#include "index/base/error.h"
#include "index/base/format_bytes.h"
#include "index/base/quote.h"
#include "index/base/some_of.h"
#include "snapshot/model/metastore_limit.h"
#include "snapshot/model/tree_walk.h"

namespace tsmfs::snapshot {

namespace {

constexpr size_t kWalShardsNamedMax = 3;

StoredShard read_shard(index::ObjectReader& objects, const ShardPath& path,
                       const index::TreeId& id) {
  StoredShard shard{path, {}, 0};
  const Tree files = read_tree(objects, id);
  for (const TreeEntry& file : files.entries()) {
    if (file.kind != EntryKind::kFile) continue;
    shard.files.push_back(file);
    shard.bytes += file.size;
  }
  return shard;
}

// Sorted by path.
std::vector<StoredShard> shards_below(index::ObjectReader& objects, const index::TreeId& root,
                                      const Filter& filter) {
  std::vector<StoredShard> found;
  for (const auto& [path, entry] : shard_entries(objects, root, filter))
    found.push_back(read_shard(objects, path, entry.directory()));
  return found;
}

}  // namespace

std::vector<StoredShard> stored_shards(index::ObjectReader& objects, const Manifest& manifest,
                                       const Filter& filter) {
  return shards_below(objects, manifest.data, filter);
}

std::vector<StoredShard> stored_wal(index::ObjectReader& objects, const Manifest& manifest,
                                    const Filter& filter) {
  if (!manifest.wal) return {};
  return shards_below(objects, *manifest.wal, filter);
}

std::optional<ByteBuffer> stored_meta_file(index::Repository& repository, const Manifest& manifest,
                                           std::string_view name) {
  const Tree tree = read_tree(repository.objects(), manifest.meta);
  const TreeEntry* entry = tree.find(name);
  if (entry == nullptr || entry->kind != EntryKind::kFile) return std::nullopt;
  const std::string object = fmt::format("meta file {}", quote(name));
  if (entry->size > kMetastoreBytesMax)
    throw CorruptError(fmt::format("{} has {} bytes", object, entry->size));
  const auto reader = repository.objects().open_file(entry->file());
  std::vector<index::Slice> slices;
  reader.read(0, entry->size, slices);
  ByteBuffer content;
  for (const index::Slice& slice : slices) append(content, slice.bytes);
  if (content.size() != entry->size ||
      repository.key().digest<index::FileId>(content) != entry->file())
    throw CorruptError(object + " is damaged: its digest is wrong",
                       "tsmfs check --read-data says what is damaged");
  return content;
}

ByteBuffer stored_metastore(index::Repository& repository, const Manifest& manifest) {
  auto content = stored_meta_file(repository, manifest, "meta.db");
  if (!content)
    throw UsageError(fmt::format("snapshot {} holds no metastore", manifest.short_id()));
  return std::move(*content);
}

std::string describe_wal(index::ObjectReader& objects, const Manifest& manifest,
                         const Filter& filter) {
  std::vector<std::string> shards;
  uint64_t bytes = 0;
  for (const StoredShard& shard : stored_wal(objects, manifest, filter)) {
    if (shard.bytes == 0) continue;
    shards.push_back(shard.path.text());
    bytes += shard.bytes;
  }
  if (shards.empty()) return {};
  return fmt::format("the write-ahead log of {} ({}), whose points are in no other file",
                     some_of(shards, kWalShardsNamedMax), format_bytes(bytes));
}

}  // namespace tsmfs::snapshot
