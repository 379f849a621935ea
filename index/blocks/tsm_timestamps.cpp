#include "index/blocks/tsm_timestamps.h"

#include "index/blocks/simple8b.h"

namespace tsmfs::index {

namespace {

ByteView whole_words(ByteView bytes) {
  if (bytes.size() % kSimple8bWordBytes != 0) throw TsmFormatError{"a block with half a time"};
  return bytes;
}

}  // namespace

TsmTimesParts split_tsm_times(ByteView times) {
  const auto head = std::to_integer<uint8_t>(take_tsm_bytes(times, 1)[0]);
  TsmTimesParts parts;
  parts.encoding = static_cast<TsmTimesEncoding>(head >> 4);
  const unsigned exponent = head & 0x0f;
  if (exponent > kTsmTimesExponentMax) throw TsmFormatError{"a block with an unknown unit of time"};
  for (unsigned i = 0; i < exponent; ++i) parts.divisor *= 10;
  switch (parts.encoding) {
    case TsmTimesEncoding::kRaw:
      parts.words = whole_words(times);
      parts.points = parts.words.size() / kSimple8bWordBytes;
      if (parts.points > 0) parts.first_ns = take_tsm_word(parts.words);
      break;
    case TsmTimesEncoding::kSimple8b:
      parts.first_ns = take_tsm_word(times);
      parts.words = whole_words(times);
      parts.points = 1 + count_simple8b(parts.words);
      break;
    case TsmTimesEncoding::kRunLength:
      parts.first_ns = take_tsm_word(times);
      parts.delta = take_tsm_uvarint(times);
      parts.points = take_tsm_uvarint(times);
      break;
    default:
      throw TsmFormatError{"a block with an unknown encoding of times"};
  }
  if (parts.points > kTsmPointsPerBlockMax) throw TsmFormatError{"a block of too many points"};
  return parts;
}

TsmTimeCursor::TsmTimeCursor(ByteView block)
    : times_(split_tsm_times(split_tsm_block(block).times)) {}

std::optional<int64_t> TsmTimeCursor::next() {
  if (times_.points == 0) return std::nullopt;
  const auto time = static_cast<int64_t>(times_.first_ns);
  if (--times_.points > 0) times_.first_ns += next_delta();
  return time;
}

uint64_t TsmTimeCursor::next_delta() {
  if (times_.encoding == TsmTimesEncoding::kRunLength) return times_.delta * times_.divisor;
  if (times_.encoding == TsmTimesEncoding::kRaw) return take_tsm_word(times_.words);
  if (in_word_ == 0) {
    word_ = take_tsm_word(times_.words);
    const Simple8bPacking packing = kSimple8bPackings[word_ >> 60];
    in_word_ = packing.count;
    bits_ = packing.bits;
  }
  --in_word_;
  if (bits_ == 0) return times_.divisor;
  const uint64_t delta = word_ & ((uint64_t{1} << bits_) - 1);
  word_ >>= bits_;
  return delta * times_.divisor;
}

}  // namespace tsmfs::index
