#include "index/lookup/known_chunks.h"

#include <utility>

namespace tsmfs::index {

const ChunkPlace* KnownChunks::find(const ChunkId& id) const {
  if (const auto found = young_.find(id); found != young_.end()) return &found->second;
  if (const auto found = old_.find(id); found != old_.end()) return &found->second;
  return nullptr;
}

uint32_t KnownChunks::number_of(const PackId& id) {
  const auto [place, added] = numbers_.try_emplace(id, static_cast<uint32_t>(packs_.size()));
  if (added) packs_.push_back(id);
  return place->second;
}

void KnownChunks::add(const ChunkId& id, const ChunkPlace& place) {
  if (young_.size() >= kChunksPerGeneration) {
    std::swap(young_, old_);
    young_.clear();
  }
  young_.insert_or_assign(id, place);
}

void KnownChunks::add_pack(const PackId& id, const std::vector<FrameEntry>& frames,
                           const std::vector<BlobEntry>& blobs) {
  const uint32_t number = number_of(id);
  for (const FrameEntry& frame : frames) {
    if (frame.kind != BlobKind::kChunk) continue;
    for (uint32_t i = 0; i < frame.blob_count; ++i) {
      const BlobEntry& blob = blobs[frame.first_blob + i];
      add(ChunkId::from(blob.id.view()),
          {number, static_cast<uint32_t>(blob.logical_start), blob.length});
    }
  }
}

}  // namespace tsmfs::index
