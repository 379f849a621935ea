// The codecs of frames: how each is read, and how a frame is compressed (with zstd, or raw where
// zstd gains too little).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "index/base/bytes.h"
#include "index/codec/zstd.h"
#include "index/format/pack_format.h"

namespace tsmfs::index {

// What `--compression` says. docs/PERFORMANCE.md has the measurements behind the default.
struct Compression {
  static constexpr int kNone = 0;
  static constexpr int kLevelDefault = 5;
  static constexpr int kLevelMax = 19;
  int level = kLevelDefault;  // kNone, or zstd's level
  int min_match = 5;          // zstd's minMatch; 0 leaves it to the level
  bool columns = false;       // TSM blocks are stored as columns, where that is smaller

  // "none", "fast", "columns", or "1" to "19". Throws: UsageError.
  static Compression parse(std::string_view text);
};

// Not thread safe; one a thread. Throws: std::bad_alloc.
class FrameCompressor {
 public:
  explicit FrameCompressor(const Compression& compression);
  // Fills `out` (its size becomes that of the result) and says how. Raw when zstd saves under 3 %,
  // since reading raw frames is free.
  Codec compress(ByteView raw, RawBuffer& out);
  // The same of a frame of chunks, which are looked at one by one; in columns also when the frame
  // was so before.
  Codec compress_chunks(ByteView raw, std::span<const BlobEntry> chunks, bool was_in_columns,
                        RawBuffer& out);

 private:
  bool is_incompressible(ByteView raw, RawBuffer& out);

  std::optional<ZstdCompressor> zstd_;   // none: no compression
  std::optional<ZstdCompressor> probe_;  // none: the level needs no probe
  std::optional<ZstdCompressor> sections_;
  bool columns_ = false;
};

// Thread safe: each thread has its own context. Throws: CorruptError, naming `object`, when
// `stored` does not give exactly `out.size()` bytes; NewerFormatError for a codec that is not
// known.
void decompress_frame(Codec codec, ByteView stored, MutableByteView out, std::string_view object);

}  // namespace tsmfs::index
