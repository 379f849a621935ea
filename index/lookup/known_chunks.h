// The chunks that a writer knows of without asking the lookup: those of the packs it writes, and of
// the packs it met.
//
// A history repeats itself in long runs, so that a chunk found in the lookup is a hint that its
// pack's other chunks come next: the pack's whole list is loaded then (Zhu et al., "Avoiding the
// Disk Bottleneck in the Data Domain Deduplication File System", FAST '08). Two generations bound
// the memory: when the young one is full it becomes the old one, and the old one goes. A chunk
// forgotten is stored again or looked up again, never lost.
#pragma once

#include <tsl/robin_map.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/format/digest.h"
#include "index/format/pack_format.h"

namespace tsmfs::index {

// Where a chunk is.
struct ChunkPlace {
  uint32_t pack = 0;  // KnownChunks::pack_id() knows it
  uint32_t logical_start = 0;
  uint32_t length = 0;
};

// Not thread safe.
class KnownChunks {
 public:
  static constexpr size_t kChunksPerGeneration = 320'000;

  const ChunkPlace* find(const ChunkId& id) const;
  // A number for a pack; the same one for the same pack.
  uint32_t number_of(const PackId& id);
  const PackId& pack_id(uint32_t number) const { return packs_[number]; }
  void add(const ChunkId& id, const ChunkPlace& place);
  // All chunks of a pack.
  void add_pack(const PackId& id, const std::vector<FrameEntry>& frames,
                const std::vector<BlobEntry>& blobs);

 private:
  using Generation = tsl::robin_map<ChunkId, ChunkPlace, IdHash>;
  Generation young_, old_;
  std::vector<PackId> packs_;
  tsl::robin_map<PackId, uint32_t, IdHash> numbers_;
};

}  // namespace tsmfs::index
