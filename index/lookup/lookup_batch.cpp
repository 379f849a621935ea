#include "index/lookup/lookup_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "index/base/error.h"
#include "index/lookup/lookup_values.h"

namespace tsmfs::index {

namespace {

constexpr size_t kLookUpsAtOnce = 1024;

PackNumber number_of(const PackHeader& header) {
  if (header.sequence > UINT32_MAX)
    throw CorruptError(fmt::format("pack {} has an impossible sequence", header.id.hex()));
  return static_cast<PackNumber>(header.sequence);
}

// A pack's blobs of one kind, sorted by id, which is the order that RocksDB takes them in best.
std::vector<const BlobEntry*> blobs_of(BlobKind kind, const std::vector<FrameEntry>& frames,
                                       const std::vector<BlobEntry>& blobs) {
  std::vector<const BlobEntry*> found;
  for (const FrameEntry& frame : frames) {
    if (frame.kind != kind) continue;
    for (uint32_t i = 0; i < frame.blob_count; ++i) found.push_back(&blobs[frame.first_blob + i]);
  }
  std::sort(found.begin(), found.end(),
            [](const BlobEntry* a, const BlobEntry* b) { return a->id < b->id; });
  return found;
}

BlobPlace place_in(const PackContents& pack, const BlobEntry& blob) {
  return {pack.header.id, static_cast<uint32_t>(blob.logical_start), blob.length};
}

}  // namespace

void LookupBatch::put_pack(const PackContents& pack) {
  const uint64_t logical_bytes = pack.frames.empty() ? 0 : pack.frames.back().logical_end();
  const PackRecord record{pack.header.id, pack.file_bytes, logical_bytes};
  const ByteBuffer number = encode_chunk_value(number_of(pack.header));
  for (const BlobEntry* chunk : blobs_of(BlobKind::kChunk, pack.frames, pack.blobs))
    if (is_hook(ChunkId::from(chunk->id.view()))) put(kChunks, slice(chunk->id), number);
  put_recipes(pack);
  for (const BlobEntry* tree : blobs_of(BlobKind::kTree, pack.frames, pack.blobs))
    put(kTrees, slice(tree->id), encode_tree_place(place_in(pack, *tree)));
  put(kPacks, slice(encode_pack_key(number_of(pack.header))), encode_pack_record(record));
}

void LookupBatch::put_recipes(const PackContents& pack) {
  using Files = std::unordered_set<FileId, IdHash>;
  const Files lossy(pack.lists.lossy.begin(), pack.lists.lossy.end());
  for (const BlobEntry* recipe : blobs_of(BlobKind::kRecipe, pack.frames, pack.blobs)) {
    const FileId file = FileId::from(recipe->id.view());
    const FilePlace place{place_in(pack, *recipe), lossy.contains(file)};
    if (place.lossy && has_whole_recipe(slice(recipe->id))) continue;
    put(kFiles, slice(recipe->id), encode_file_place(place));
  }
}

void LookupBatch::put_file(const FileId& id, const FilePlace& place) {
  put(kFiles, slice(id), encode_file_place(place));
}

bool LookupBatch::has_whole_recipe(const rocksdb::Slice& key) const {
  const auto value = database_.get(kFiles, key);
  return value && !decode_file_place(as_bytes(*value)).lossy;
}

void LookupBatch::remove_pack(PackNumber number, const PackId& id,
                              const std::vector<FrameEntry>& frames,
                              const std::vector<BlobEntry>& blobs) {
  remove_found(kChunks, blobs_of(BlobKind::kChunk, frames, blobs), encode_chunk_value(number));
  remove_found(kFiles, blobs_of(BlobKind::kRecipe, frames, blobs), id.view());
  remove_found(kTrees, blobs_of(BlobKind::kTree, frames, blobs), id.view());
  remove(kPacks, slice(encode_pack_key(number)));
}

// Of these blobs those whose value begins as given: the others are found in another pack.
void LookupBatch::remove_found(Family family, const std::vector<const BlobEntry*>& blobs,
                               ByteView beginning) {
  for (size_t begin = 0; begin < blobs.size(); begin += kLookUpsAtOnce) {
    const size_t count = std::min(kLookUpsAtOnce, blobs.size() - begin);
    std::vector<rocksdb::Slice> keys;
    for (size_t i = 0; i < count; ++i) keys.push_back(slice(blobs[begin + i]->id));
    std::vector<rocksdb::PinnableSlice> values(count);
    std::vector<rocksdb::Status> statuses(count);
    database_.db().MultiGet(rocksdb::ReadOptions(), database_.handle(family), count, keys.data(),
                            values.data(), statuses.data(), /*sorted_input=*/true);
    for (size_t i = 0; i < count; ++i) {
      if (statuses[i].IsNotFound()) continue;
      check_status(statuses[i], "cannot read the index");
      if (!as_text(view(values[i])).starts_with(as_text(beginning))) continue;
      remove(family, keys[i]);
    }
  }
}

void LookupBatch::put(Family family, const rocksdb::Slice& key, const ByteBuffer& value) {
  check_status(batch_.Put(database_.handle(family), key, slice(value)),
               "cannot fill an index batch");
}

void LookupBatch::remove(Family family, const rocksdb::Slice& key) {
  check_status(batch_.Delete(database_.handle(family), key), "cannot fill an index batch");
}

void LookupBatch::write() {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  check_status(database_.db().Write(synced, &batch_), "cannot write the index");
  batch_.Clear();
}

}  // namespace tsmfs::index
