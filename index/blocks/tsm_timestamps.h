// The times of a TSM block's points.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/timestamp.go: a byte with the encoding (high half) and the
// exponent of ten of a common divisor (low half); then raw deltas of 8 bytes, or the first time and
// deltas in simple8b words (Anh and Moffat, "Index compression using 64-bit words", 2010), or the
// first time, one delta and a count.
#pragma once

#include <cstdint>
#include <optional>

#include "index/blocks/tsm_block.h"

namespace tsmfs::index {

// The beginning of a block in which the times lie, of a block of that many points.
constexpr size_t kTsmTimesBytesMax = 8 * kTsmPointsPerBlockMax + 64;

enum class TsmTimesEncoding : uint8_t { kRaw = 0, kSimple8b = 1, kRunLength = 2 };
constexpr unsigned kTsmTimesExponentMax = 12;

// Encoded times, taken apart. Sums of them wrap, as Go's do: a hostile block gives wrong times,
// nothing worse.
struct TsmTimesParts {
  TsmTimesEncoding encoding = TsmTimesEncoding::kRaw;
  uint64_t points = 0;    // at most kTsmPointsPerBlockMax
  uint64_t first_ns = 0;  // when there are points
  uint64_t divisor = 1;   // of the deltas of a run, and of those in simple8b words
  uint64_t delta = 0;     // of a run, divided
  ByteView words;         // the other deltas, raw or simple8b
};

// Throws: TsmFormatError. Requires: the bytes outlive what it returns.
TsmTimesParts split_tsm_times(ByteView times);

// Gives the times of a block one by one. Takes no memory, however many points a block claims to
// have. Not thread safe.
class TsmTimeCursor {
 public:
  // `block` is a block, CRC included, which is not checked; what lies behind the times may be left
  // out. Requires: the bytes outlive it. Throws: TsmFormatError.
  explicit TsmTimeCursor(ByteView block);
  // In nanoseconds, in the order of the block; nothing at the end.
  std::optional<int64_t> next();

 private:
  uint64_t next_delta();

  TsmTimesParts times_;   // what is still to come
  uint64_t word_ = 0;     // what is left of a simple8b word, the next delta in the low bits
  unsigned in_word_ = 0;  // deltas in it
  unsigned bits_ = 0;     // of each of them
};

}  // namespace tsmfs::index
