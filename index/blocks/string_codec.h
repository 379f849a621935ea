// The strings of a TSM block.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/string.go: a byte 0x10, then of each string its length
// (uvarint) and its bytes, all of it compressed as go_snappy.h says.
#pragma once

#include <cstdint>

#include "index/blocks/tsm_points.h"

namespace tsmfs::index {

// Of a block's strings and their lengths: what would be larger is not decoded. InfluxDB takes
// strings of any length, but a block of them is what one compaction had in memory.
constexpr size_t kTsmTextBytesMax = size_t{64} << 20;

// Fills `text` and `text_ends`. Memory: the strings, whatever they claim: at most 22 times the
// bytes given. Throws: TsmFormatError, also when there are not exactly so many strings.
void decode_tsm_strings(ByteView values, size_t count, TsmPoints& out);

// The strings one behind the other, each with its length before it: what is compressed.
void join_tsm_strings(const TsmPoints& points, ByteBuffer& plain);
// Fills `text` and `text_ends` from what join_tsm_strings() has put into `text`. Throws:
// TsmFormatError, also when there are not exactly so many strings.
void part_tsm_strings(size_t count, TsmPoints& points);

// What encode_tsm_strings() needs at most.
size_t tsm_strings_bytes_max(size_t plain_bytes);
// Puts what join_tsm_strings() has made at `to` as a server would; returns its end. Requires: room
// for tsm_strings_bytes_max().
std::byte* encode_tsm_strings(ByteView plain, std::byte* to);

}  // namespace tsmfs::index
