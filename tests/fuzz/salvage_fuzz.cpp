// What salvage_pack makes of any bytes: each blob that it gives out is what its id says.
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "index/base/error.h"
#include "index/pack/pack_salvage.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsmfs;
  using namespace tsmfs::fuzz;
  static const index::DigestKey key{index::DigestKey::Secret{}};
  static const int fd = ::memfd_create("pack", 0);
  require(fd >= 0 && ::ftruncate(fd, 0) == 0, "there is a file");
  require(::pwrite(fd, data, size, 0) == static_cast<ssize_t>(size), "the input is in it");
  const index::PackId id{};  // that of the seeds
  index::salvage_pack("/proc/self/fd/" + std::to_string(fd), id, key, {},
                      [](index::BlobKind kind, const index::BlobEntry& blob, ByteView bytes) {
                        require(blob.length == bytes.size(), "a blob has its length");
                        if (kind == index::BlobKind::kChunk)
                          require(key.digest<index::ChunkId>(bytes).bytes == blob.id.bytes,
                                  "a chunk is what its id says");
                      },
                      {});
  return 0;
}
