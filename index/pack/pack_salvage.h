// What is still good in a pack that is damaged.
//
// Each frame has a header of its own with its place, so frames are found without the pack's tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "index/format/digest.h"
#include "index/format/pack_format.h"
#include "index/storage/storage.h"

namespace tsmfs::index {

// A blob of a known kind and place.
struct KnownBlob {
  BlobKind kind = BlobKind::kChunk;
  BlobEntry blob;
};

struct Salvage {
  bool tables_lost = false;  // frames had to be searched for, or blobs be found in another way
  uint64_t saved_bytes = 0;  // logical ones, of frames that could be read
  uint64_t lost_bytes = 0;   // logical ones, as far as it is known how many there were
  size_t lost_frames = 0;    // likewise
};

// Reads every frame that can be read, and visits each blob in it whose content is what its id says,
// in order. Frames are found by the pack's table, or by their own headers when the table is
// damaged; blobs by the pack's table, or, for recipes and tree nodes, by `known` (those that the
// lookup places in this pack, sorted by logical_start). Chunks that no table tells apart are
// visited as one chunk a frame, so that recipes still find their bytes. Throws: IoError, Cancelled.
using VisitBlob = std::function<void(BlobKind kind, const BlobEntry& blob, ByteView bytes)>;
Salvage salvage_pack(const StoredObject& object, const PackId& id, const DigestKey& key,
                     const std::vector<KnownBlob>& known, const VisitBlob& visit,
                     const std::stop_token& stop);

// A pack's tables, whatever else of it is damaged; nothing when they are. Throws: IoError.
struct PackTables {
  std::vector<FrameEntry> frames;
  std::vector<BlobEntry> blobs;
};
std::optional<PackTables> read_pack_tables(const StoredObject& object, const PackId& id);

}  // namespace tsmfs::index
