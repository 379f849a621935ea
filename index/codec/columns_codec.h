// Whole TSM blocks, as columns: what the points are, and not how a server packs them.
//
//   sections (index/codec/section.h), one after the other, of all blocks together:
//     kinds    per block: u8: type, + 8 for TsmDialect::kBatch, + 16 for times as in the block
//              before, + 32 times the order (index/codec/integer_column.h)
//     heads    per block: unless its times are as before, varint points and varint bytes of times;
//              of floats and integers what their columns need
//     times    per block that has its own: the bytes of the times as they stand in the block
//     groups, bits   of the integers (index/codec/integer_column.h)
//     words    of the floats (index/codec/float_column.h)
//     lengths  of blocks of strings: per string, varint
//     text     of blocks of strings: the strings
//
// CRCs are computed again.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "index/base/bytes.h"
#include "index/blocks/tsm_points.h"
#include "index/codec/float_column.h"
#include "index/codec/integer_column.h"
#include "index/codec/zstd.h"

namespace tsmfs::index {

// What all sections together may take, uncompressed, for so many bytes of blocks: a few bytes
// cannot ask a reader for any memory.
constexpr uint64_t columns_bytes_max(uint64_t block_bytes) {
  return (uint64_t{1} << 20) + 32 * block_bytes;
}

// Not thread safe.
class ColumnsEncoder {
 public:
  // Takes bytes that are whole TSM blocks and nothing else, each of which gives the same bytes
  // again; false, and nothing is taken, for others.
  bool add(ByteView piece);
  bool is_empty() const { return kinds_.empty(); }
  // False when the columns are so much larger than the blocks that no reader takes them
  // (columns_bytes_max()); what was added is then to be stored otherwise.
  bool can_be_read() const;
  // Appends all that was added. Requires: can_be_read().
  void encode(ByteBuffer& out, ZstdCompressor& zstd) const;

 private:
  struct Block {
    ByteView bytes;
    TsmBlockParts parts;
    TsmPoints points;
    TsmDialect dialect = TsmDialect::kStream;
  };
  bool read_blocks(ByteView piece);
  bool read_block(ByteView bytes, Block& block);
  bool gives_values(const Block& block);
  static bool gives_head(const Block& block);
  void add_block(const Block& block);

  std::vector<const ByteBuffer*> all_sections() const;

  uint64_t block_bytes_ = 0;   // that were taken
  std::vector<Block> blocks_;  // of the piece
  size_t block_count_ = 0;     // of blocks_, those in use
  ByteBuffer times_before_;
  std::vector<uint64_t> deltas_;
  RawBuffer again_;
  ByteBuffer plain_;
  FloatColumnEncoder floats_;
  IntegerColumnEncoder integers_;
  ByteBuffer kinds_, times_, words_, lengths_, text_;
  IntegerSections sections_;
};

// Fills `out` with what was added, piece behind piece. Throws: CorruptError, naming `object`, when
// `stored` does not give exactly as many bytes.
void decode_columns(ByteView stored, MutableByteView out, std::string_view object);

}  // namespace tsmfs::index
