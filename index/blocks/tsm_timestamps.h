// The times of a TSM block's points.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1/timestamp.go: a byte with the encoding (high half) and the
// exponent of ten of a common divisor (low half); then raw deltas of 8 bytes, or the first time and
// deltas in simple8b words (Anh and Moffat, "Index compression using 64-bit words", 2010), or the
// first time, one delta and a count.
#pragma once

#include <cstdint>
#include <optional>

#include "index/base/bytes.h"

namespace tsmfs::index {

// InfluxDB writes at most 10 000. A few bytes can claim as many, and each costs time.
constexpr size_t kTsmPointsPerBlockMax = 1 << 16;
// The beginning of a block in which the times lie, of a block of that many points.
constexpr size_t kTsmTimesBytesMax = 8 * kTsmPointsPerBlockMax + 64;

// Gives the times of a block one by one. Takes no memory, however many points a block claims to
// have. Not thread safe.
class TsmTimeCursor {
 public:
  // `block` is a block, CRC included, which is not checked; what lies behind the times may be left
  // out. Requires: the bytes outlive it. Throws: TsmFormatError (index/tsm/tsm_index.h).
  explicit TsmTimeCursor(ByteView block);
  // In nanoseconds, in the order of the block; nothing at the end. Sums wrap, as Go's do: a hostile
  // block gives wrong times, nothing worse.
  std::optional<int64_t> next();

 private:
  enum class Encoding : uint8_t { kRaw = 0, kSimple8b = 1, kRunLength = 2 };
  uint64_t next_delta();

  Encoding encoding_;
  ByteView words_;        // raw deltas, or simple8b words, that are still to be read
  uint64_t divisor_ = 1;  // of the deltas
  uint64_t time_ = 0;     // the next one
  uint64_t points_ = 0;   // still to come
  uint64_t delta_ = 0;    // of a run
  uint64_t word_ = 0;     // what is left of a simple8b word, the next delta in the low bits
  unsigned in_word_ = 0;  // deltas in it
  unsigned bits_ = 0;     // of each of them
};

}  // namespace tsmfs::index
