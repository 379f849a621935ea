// The times of a TSM block's points.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/timestamp.go: a byte with the encoding (high half) and the
// exponent of ten of a common divisor (low half); then raw deltas of 8 bytes, or the first time and
// deltas in simple8b words (Anh and Moffat, "Index compression using 64-bit words", 2010), or the
// first time, one delta and a count.
#pragma once

#include <cstdint>
#include <vector>

#include "index/base/bytes.h"

namespace tsmfs::index {

constexpr size_t kTsmPointsPerBlockMax =
    1 << 20;  // InfluxDB writes at most 1000, unless configured otherwise

// Appends the times, in nanoseconds, to `out`. `block` is a whole block, CRC included, which is not
// checked. Throws: TsmFormatError (index/tsm_index.h).
void decode_tsm_timestamps(ByteView block, std::vector<int64_t>& out);

}  // namespace tsmfs::index
