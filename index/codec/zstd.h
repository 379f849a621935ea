// zstd, of bytes in memory.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "index/base/bytes.h"

struct ZSTD_CCtx_s;

namespace tsmfs::index {

// Not thread safe. Throws: std::bad_alloc.
class ZstdCompressor {
 public:
  // `min_match` is zstd's minMatch; 0 leaves it to the level.
  explicit ZstdCompressor(int level, int min_match = 0);
  // What `out` has to have.
  static size_t bound(size_t raw_bytes);
  // The compressed length in `out`; nothing when zstd saves less than one part in 33. Requires:
  // out.size() >= bound(raw.size()).
  std::optional<size_t> compress(ByteView raw, MutableByteView out);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
};

// Whether `stored`, one zstd frame and nothing else, gives exactly out.size() bytes. Thread safe:
// each thread has a context of its own. Throws: std::bad_alloc.
bool decompress_zstd(ByteView stored, MutableByteView out);

}  // namespace tsmfs::index
