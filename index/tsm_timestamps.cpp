#include "index/tsm_timestamps.h"

#include <array>

#include "index/tsm_index.h"

namespace tsmfs::index {

namespace {

enum class TimeEncoding : uint8_t { kRaw = 0, kSimple8b = 1, kRunLength = 2 };

constexpr unsigned kExponentMax = 12;

// How many values a simple8b word holds, and in how many bits each, by its selector. No bits: all
// values are 1.
struct Packing {
  uint8_t count;
  uint8_t bits;
};
constexpr std::array<Packing, 16> kPackings = {{{240, 0},
                                                {120, 0},
                                                {60, 1},
                                                {30, 2},
                                                {20, 3},
                                                {15, 4},
                                                {12, 5},
                                                {10, 6},
                                                {8, 7},
                                                {7, 8},
                                                {6, 10},
                                                {5, 12},
                                                {4, 15},
                                                {3, 20},
                                                {2, 30},
                                                {1, 60}}};

// Go's uvarint: not necessarily in its shortest form.
uint64_t take_uvarint(ByteView& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (bytes.empty()) break;
    const auto byte = std::to_integer<uint8_t>(bytes[0]);
    bytes = bytes.subspan(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw TsmFormatError{"a block with a malformed integer"};
}

ByteView take(ByteView& bytes, size_t length) {
  if (length > bytes.size()) throw TsmFormatError{"a block that is cut off"};
  const ByteView taken = bytes.first(length);
  bytes = bytes.subspan(length);
  return taken;
}

void bound(size_t count) {
  if (count > kTsmPointsPerBlockMax) throw TsmFormatError{"a block of too many points"};
}

// Sums wrap, as Go's do: a hostile block gives wrong times, nothing worse.
void decode_raw(ByteView bytes, std::vector<int64_t>& out) {
  if (bytes.size() % 8 != 0) throw TsmFormatError{"a block with half a time"};
  bound(bytes.size() / 8);
  uint64_t time = 0;
  for (size_t i = 0; i < bytes.size(); i += 8) {
    time += load_be<uint64_t>(bytes.data() + i);
    out.push_back(static_cast<int64_t>(time));
  }
}

void decode_simple8b(ByteView bytes, uint64_t divisor, std::vector<int64_t>& out) {
  uint64_t time = load_be<uint64_t>(take(bytes, 8).data());
  out.push_back(static_cast<int64_t>(time));
  if (bytes.size() % 8 != 0) throw TsmFormatError{"a block with half a word of times"};
  for (size_t i = 0; i < bytes.size(); i += 8) {
    const uint64_t word = load_be<uint64_t>(bytes.data() + i);
    const Packing packing = kPackings[word >> 60];
    const uint64_t mask = (uint64_t{1} << packing.bits) - 1;
    for (unsigned n = 0; n < packing.count; ++n) {
      const uint64_t delta = packing.bits == 0 ? 1 : (word >> (n * packing.bits)) & mask;
      time += delta * divisor;
      out.push_back(static_cast<int64_t>(time));
    }
    bound(out.size());
  }
}

void decode_run_length(ByteView bytes, uint64_t divisor, std::vector<int64_t>& out) {
  uint64_t time = load_be<uint64_t>(take(bytes, 8).data());
  const uint64_t delta = take_uvarint(bytes) * divisor;
  const uint64_t count = take_uvarint(bytes);
  bound(count);
  for (uint64_t i = 0; i < count; ++i, time += delta) out.push_back(static_cast<int64_t>(time));
}

}  // namespace

void decode_tsm_timestamps(ByteView block, std::vector<int64_t>& out) {
  ByteView bytes = block;
  take(bytes, kTsmCrcBytes + 1);  // the type of the values
  ByteView times = take(bytes, take_uvarint(bytes));
  const auto head = std::to_integer<uint8_t>(take(times, 1)[0]);
  const unsigned exponent = head & 0x0f;
  if (exponent > kExponentMax) throw TsmFormatError{"a block with an unknown unit of time"};
  uint64_t divisor = 1;
  for (unsigned i = 0; i < exponent; ++i) divisor *= 10;
  std::vector<int64_t> decoded;
  switch (static_cast<TimeEncoding>(head >> 4)) {
    case TimeEncoding::kRaw:
      decode_raw(times, decoded);
      break;
    case TimeEncoding::kSimple8b:
      decode_simple8b(times, divisor, decoded);
      break;
    case TimeEncoding::kRunLength:
      decode_run_length(times, divisor, decoded);
      break;
    default:
      throw TsmFormatError{"a block with an unknown encoding of times"};
  }
  out.insert(out.end(), decoded.begin(), decoded.end());
}

}  // namespace tsmfs::index
