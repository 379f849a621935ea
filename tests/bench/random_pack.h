// Packs as the index gets to know them, of chunks that no other pack has.
#pragma once

#include "index/lookup/lookup.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::test {

enum class Ids { kAny, kHooksOnly };

inline index::PackContents random_pack(uint64_t sequence, size_t chunks, Ids which) {
  index::PackContents pack;
  pack.header.sequence = sequence;
  pack.header.id = index::random_id<index::PackId>();
  pack.frames.push_back({});
  pack.frames[0].blob_count = static_cast<uint32_t>(chunks);
  const ByteBuffer ids = random_bytes(chunks * index::kIdBytes, sequence);
  pack.blobs.resize(chunks);
  for (size_t i = 0; i < chunks; ++i) {
    auto& id = pack.blobs[i].id;
    id = index::Id<index::BlobTag>::from(
        ByteView(ids).subspan(i * index::kIdBytes, index::kIdBytes));
    while (which == Ids::kHooksOnly && !index::is_hook(index::ChunkId::from(id.view())))
      id.bytes.back() = static_cast<std::byte>(std::to_integer<unsigned>(id.bytes.back()) - 1);
  }
  return pack;
}

}  // namespace tsmfs::test
