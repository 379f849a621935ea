// A frame whose pieces are stored each in the way that fits it: index entries of TSM files as such
// (tsm_index_codec.h), TSM blocks as columns (columns_codec.h), anything else by zstd.
//
//   varint count of pieces; per piece: varint length * 4 + kind. Neighbours are of different kinds.
//   Then, of each kind that there is, in the order of the kinds, sized bytes that give its pieces
//   end to end: a section (section.h) for kPlain, index entries for kIndex, columns for kBlocks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/codec/columns_codec.h"
#include "index/codec/tsm_index_codec.h"
#include "index/codec/zstd.h"
#include "index/format/pack_format.h"

namespace tsmfs::index {

enum class PieceKind : uint8_t { kPlain = 0, kIndex = 1, kBlocks = 2 };

struct FramePiece {
  PieceKind kind = PieceKind::kPlain;
  uint32_t length = 0;
};

// The pieces of a frame, sorted out. Not thread safe.
class MixedFrame {
 public:
  // Looks at each blob: their lengths tile `raw`. Without `columns`, blocks are plain.
  MixedFrame(ByteView raw, std::span<const BlobEntry> blobs, bool columns);
  // Whether all of it is plain: another codec then says it shorter.
  bool is_plain() const { return index_.is_empty() && columns_.is_empty(); }
  bool can_be_read() const { return columns_.can_be_read(); }
  // Appends the frame. Requires: can_be_read(). `plain` compresses what is plain, `zstd` the
  // sections of the rest.
  void encode(ByteBuffer& out, ZstdCompressor& plain, ZstdCompressor& zstd) const;

 private:
  void add(PieceKind kind, ByteView bytes);

  std::vector<FramePiece> pieces_;
  ByteBuffer plain_;
  TsmIndexEncoder index_;
  ColumnsEncoder columns_;
};

// Whether some of the frame is in columns. False for what is no such frame.
bool has_columns(Codec codec, ByteView stored);

// Throws: CorruptError, naming `object`, when `stored` does not give exactly out.size() bytes.
void decode_mixed_frame(ByteView stored, MutableByteView out, std::string_view object);

}  // namespace tsmfs::index
