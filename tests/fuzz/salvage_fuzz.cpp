// What salvage_pack makes of any bytes: each blob that it gives out is what its id says.
#include <string>

#include "index/base/error.h"
#include "index/pack/pack_salvage.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/memory_storage.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  static const index::DigestKey key{index::DigestKey::Secret{}};
  const test::MemoryObject pack(std::string(as_text(input_bytes(data, size))));
  const index::PackId id{};  // that of the seeds
  index::salvage_pack(pack, id, key, {},
                      [](index::BlobKind kind, const index::BlobEntry& blob, ByteView bytes) {
                        require(blob.length == bytes.size(), "a blob has its length");
                        if (kind == index::BlobKind::kChunk)
                          require(key.digest<index::ChunkId>(bytes).bytes == blob.id.bytes,
                                  "a chunk is what its id says");
                      },
                      {});
  return 0;
}
