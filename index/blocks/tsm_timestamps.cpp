#include "index/tsm/tsm_timestamps.h"

#include <array>

#include "index/tsm/tsm_index.h"

namespace tsmfs::index {

namespace {

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

ByteView whole_words(ByteView bytes) {
  if (bytes.size() % 8 != 0) throw TsmFormatError{"a block with half a time"};
  return bytes;
}

uint64_t take_word(ByteView& bytes) {
  return load_be<uint64_t>(take(bytes, 8).data());
}

uint64_t count_deltas(ByteView words) {
  uint64_t count = 0;
  for (size_t i = 0; i < words.size(); i += 8)
    count += kPackings[load_be<uint64_t>(words.data() + i) >> 60].count;
  return count;
}

}  // namespace

TsmTimeCursor::TsmTimeCursor(ByteView block) {
  take(block, kTsmCrcBytes + 1);  // the type of the values
  ByteView times = take(block, take_uvarint(block));
  const auto head = std::to_integer<uint8_t>(take(times, 1)[0]);
  encoding_ = static_cast<Encoding>(head >> 4);
  const unsigned exponent = head & 0x0f;
  if (exponent > kExponentMax) throw TsmFormatError{"a block with an unknown unit of time"};
  for (unsigned i = 0; i < exponent; ++i) divisor_ *= 10;
  switch (encoding_) {
    case Encoding::kRaw:
      words_ = whole_words(times);
      points_ = words_.size() / 8;
      if (points_ > 0) time_ = take_word(words_);
      break;
    case Encoding::kSimple8b:
      time_ = take_word(times);
      words_ = whole_words(times);
      points_ = 1 + count_deltas(words_);
      break;
    case Encoding::kRunLength:
      time_ = take_word(times);
      delta_ = take_uvarint(times) * divisor_;
      points_ = take_uvarint(times);
      break;
    default:
      throw TsmFormatError{"a block with an unknown encoding of times"};
  }
  if (points_ > kTsmPointsPerBlockMax) throw TsmFormatError{"a block of too many points"};
}

std::optional<int64_t> TsmTimeCursor::next() {
  if (points_ == 0) return std::nullopt;
  const auto time = static_cast<int64_t>(time_);
  if (--points_ > 0) time_ += next_delta();
  return time;
}

uint64_t TsmTimeCursor::next_delta() {
  if (encoding_ == Encoding::kRunLength) return delta_;
  if (encoding_ == Encoding::kRaw) return take_word(words_);
  if (in_word_ == 0) {
    word_ = take_word(words_);
    const Packing packing = kPackings[word_ >> 60];
    in_word_ = packing.count;
    bits_ = packing.bits;
  }
  --in_word_;
  if (bits_ == 0) return divisor_;
  const uint64_t delta = word_ & ((uint64_t{1} << bits_) - 1);
  word_ >>= bits_;
  return delta * divisor_;
}

}  // namespace tsmfs::index
