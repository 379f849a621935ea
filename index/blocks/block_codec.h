// TSM blocks to points, and points to the very bytes that a server would write.
//
// The encoders of InfluxDB 1.x are deterministic: points, and who wrote them (TsmDialect), say all
// of a block. Measured on servers 1.4 to 1.12.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "index/blocks/tsm_points.h"

namespace tsmfs::index {

// Fills `points`, whose memory it uses again. Does not look at the CRC. Memory: at most
// kTsmPointsPerBlockMax points; of strings at most 22 times the block, and kTsmTextBytesMax.
// Throws: TsmFormatError when the block cannot be decoded; `points` then holds anything.
void decode_tsm_block(ByteView block, TsmPoints& points);

// Not thread safe; its memory is used again.
class TsmBlockEncoder {
 public:
  // The block, CRC included; good until the next call. Requires: one point at least, and as many
  // values of the type (of strings: `text_ends`) as times; no float that is kTsmFloatsEnd.
  ByteView encode(const TsmPoints& points, TsmDialect dialect);

 private:
  void reserve(const TsmPoints& points);
  std::byte* put_values(const TsmPoints& points, TsmDialect dialect, std::byte* to);

  std::vector<uint64_t> deltas_;
  ByteBuffer plain_;  // strings
  ByteBuffer times_;
  RawBuffer block_;
};

// Which dialect gives exactly the block again; kStream where both do. Nothing when none does (the
// CRC is wrong, another program wrote it, it is no block): such a block has to be kept as it is.
// `points` are those of the block then, and only then.
std::optional<TsmDialect> find_tsm_dialect(ByteView block, TsmPoints& points,
                                           TsmBlockEncoder& encoder);

}  // namespace tsmfs::index
