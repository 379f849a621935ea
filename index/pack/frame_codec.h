// The codecs of frames: how each is read, and how a frame is compressed (with zstd, or raw where
// zstd gains too little).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "index/base/bytes.h"
#include "index/format/pack_format.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace tsmfs::index {

// What `--compression` says. docs/PERFORMANCE.md has the measurements behind the default.
struct Compression {
  static constexpr int kNone = 0;
  static constexpr int kLevelDefault = 5;
  static constexpr int kLevelMax = 19;
  int level = kLevelDefault;  // kNone, or zstd's level
  int min_match = 5;          // zstd's minMatch; 0 leaves it to the level

  // "none", "fast", or "1" to "19". Throws: UsageError.
  static Compression parse(std::string_view text);
};

// Not thread safe; one a thread. Throws: std::bad_alloc.
class FrameCompressor {
 public:
  explicit FrameCompressor(const Compression& compression);
  // Fills `out` (its size becomes that of the result) and says how. Raw when zstd saves under 3 %,
  // since reading raw frames is free.
  Codec compress(ByteView raw, RawBuffer& out);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  using Context = std::unique_ptr<ZSTD_CCtx_s, Free>;

  static Context make_context(int level, int min_match);
  bool is_incompressible(ByteView raw, RawBuffer& out);

  Context context_;  // null: no compression
  Context probe_;    // null: the level needs none
};

// Thread safe: each thread has its own context. Throws: CorruptError, naming `object`, when
// `stored` does not give exactly `out.size()` bytes.
void decompress_frame(Codec codec, ByteView stored, MutableByteView out, std::string_view object);

}  // namespace tsmfs::index
