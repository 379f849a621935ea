#include "index/blocks/go_snappy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "index/blocks/tsm_block.h"

namespace tsmfs::index {

namespace {

constexpr size_t kPieceBytes = 65536;
// The last bytes of a piece are not searched: words are read that are longer than a match.
constexpr size_t kMarginBytes = 15;
constexpr size_t kSearchedBytesMin = kMarginBytes + 2;
constexpr unsigned kTableBitsMin = 8, kTableBitsMax = 14;
constexpr uint32_t kHashFactor = 0x1e35a7bd;
constexpr size_t kMatchBytesMin = 4;
constexpr unsigned kStepShift = 5;  // a step is one byte longer after 32 bytes

// Tags, in the lowest two bits of an element's first byte.
constexpr unsigned kLiteral = 0, kNearCopy = 1, kFarCopy = 2;
constexpr size_t kShortLiteralBytesMax = 60;
constexpr unsigned kLiteralLengthOfOneByte = 60, kLiteralLengthOfTwoBytes = 61;
constexpr size_t kCopyBytesMax = 64;
constexpr size_t kNearCopyBytesMax = 11, kNearOffsetMax = 2047;

uint32_t word_at(const std::byte* at) {
  return load_le<uint32_t>(at);
}

std::byte* put_literal(ByteView bytes, std::byte* to) {
  if (bytes.empty()) return to;
  const size_t length = bytes.size() - 1;
  if (length < kShortLiteralBytesMax) {
    *to++ = static_cast<std::byte>(length << 2 | kLiteral);
  } else if (length < 256) {
    *to++ = static_cast<std::byte>(kLiteralLengthOfOneByte << 2 | kLiteral);
    *to++ = static_cast<std::byte>(length);
  } else {
    *to++ = static_cast<std::byte>(kLiteralLengthOfTwoBytes << 2 | kLiteral);
    store_le(to, static_cast<uint16_t>(length));
    to += 2;
  }
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

std::byte* put_far_copy(size_t offset, size_t length, std::byte* to) {
  *to++ = static_cast<std::byte>((length - 1) << 2 | kFarCopy);
  store_le(to, static_cast<uint16_t>(offset));
  return to + 2;
}

std::byte* put_copy(size_t offset, size_t length, std::byte* to) {
  // What is left must be long enough for a copy of its own.
  for (; length >= kCopyBytesMax + kMatchBytesMin; length -= kCopyBytesMax)
    to = put_far_copy(offset, kCopyBytesMax, to);
  if (length > kCopyBytesMax) {
    to = put_far_copy(offset, kCopyBytesMax - kMatchBytesMin, to);
    length -= kCopyBytesMax - kMatchBytesMin;
  }
  if (length > kNearCopyBytesMax || offset > kNearOffsetMax)
    return put_far_copy(offset, length, to);
  *to++ = static_cast<std::byte>(offset >> 8 << 5 | (length - kMatchBytesMin) << 2 | kNearCopy);
  *to++ = static_cast<std::byte>(offset);
  return to;
}

// Compresses one piece. Requires: kSearchedBytesMin to kPieceBytes.
class Piece {
 public:
  Piece(ByteView plain, std::byte* to)
      : plain_(plain), search_end_(plain.size() - kMarginBytes), to_(to) {
    unsigned bits = kTableBitsMin;
    while (bits < kTableBitsMax && size_t{1} << bits < plain.size()) ++bits;
    shift_ = 32 - bits;
    std::fill_n(table_.begin(), size_t{1} << bits, uint16_t{0});
  }

  std::byte* compress() {
    while (find_match()) {
      put_until(position_);
      do copy_match();
      while (position_ < search_end_ && matches_again());
      if (position_ >= search_end_) break;
      ++position_;
    }
    put_until(plain_.size());
    return to_;
  }

 private:
  uint32_t word(size_t position) const { return word_at(plain_.data() + position); }
  // What the table had for the word at that place, which it has from now on.
  size_t exchange(size_t position) {
    uint16_t& place = table_[word(position) * kHashFactor >> shift_];
    return std::exchange(place, static_cast<uint16_t>(position));
  }
  // From position_ on; false when there is none up to the end of the search.
  bool find_match() {
    for (size_t looked_at = size_t{1} << kStepShift;;) {
      const size_t step = looked_at >> kStepShift;
      if (position_ + step > search_end_) return false;
      match_ = exchange(position_);
      if (word(position_) == word(match_)) return true;
      position_ += step;
      looked_at += step;
    }
  }
  void copy_match() {
    const size_t begin = position_;
    size_t from = match_ + kMatchBytesMin;
    position_ += kMatchBytesMin;
    while (position_ < plain_.size() && plain_[from] == plain_[position_]) ++from, ++position_;
    to_ = put_copy(begin - match_, position_ - begin, to_);
    copied_ = position_;
  }
  bool matches_again() {
    exchange(position_ - 1);
    match_ = exchange(position_);
    return word(position_) == word(match_);
  }
  void put_until(size_t end) {
    to_ = put_literal(plain_.subspan(copied_, end - copied_), to_);
    copied_ = end;
  }

  ByteView plain_;
  size_t search_end_;
  std::byte* to_;
  unsigned shift_ = 0;
  std::array<uint16_t, size_t{1} << kTableBitsMax> table_;
  size_t position_ = 1;  // the first byte has nothing before it
  size_t match_ = 0;
  size_t copied_ = 0;  // what the output has
};

}  // namespace

std::byte* go_snappy(ByteView plain, std::byte* to) {
  to = put_tsm_uvarint(to, plain.size());
  while (!plain.empty()) {
    const ByteView piece = plain.first(std::min(plain.size(), kPieceBytes));
    to = piece.size() < kSearchedBytesMin ? put_literal(piece, to) : Piece(piece, to).compress();
    plain = plain.subspan(piece.size());
  }
  return to;
}

}  // namespace tsmfs::index
