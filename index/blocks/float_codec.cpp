#include "index/blocks/float_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace tsmfs::index {

namespace {

constexpr std::byte kFloatsHead{0x10};
constexpr unsigned kLeadingBits = 5, kLengthBits = 6;
constexpr unsigned kLeadingMask = (1 << kLeadingBits) - 1, kLengthMask = (1 << kLengthBits) - 1;
constexpr unsigned kNewWindowBits = 2 + kLeadingBits + kLengthBits;
// Of what peek() returns: the others may lie beyond its word.
constexpr unsigned kPeekBits = 57;

// Reads bits, the highest of a byte first; behind the end it finds zeros.
class BitReader {
 public:
  explicit BitReader(ByteView bytes) : bytes_(bytes) {}
  // The next bits, from the highest on: at least kPeekBits of them.
  uint64_t peek() const { return word_at(position_ / 8) << (position_ % 8); }
  void skip(unsigned bits) { position_ += bits; }
  // Requires: bits is 1 to 64.
  uint64_t take(unsigned bits) {
    if (bits > kPeekBits) {
      const uint64_t high = take(bits - 32);
      return high << 32 | take(32);
    }
    const uint64_t value = peek() >> (64 - bits);
    skip(bits);
    return value;
  }
  bool is_beyond_end() const { return position_ > 8 * bytes_.size(); }

 private:
  uint64_t word_at(size_t byte) const {
    if (byte + 8 <= bytes_.size()) [[likely]]
      return load_be<uint64_t>(bytes_.data() + byte);
    std::array<std::byte, 8> last{};
    if (byte < bytes_.size()) std::memcpy(last.data(), bytes_.data() + byte, bytes_.size() - byte);
    return load_be<uint64_t>(last.data());
  }

  ByteView bytes_;
  size_t position_ = 0;
};

// Writes bits, the highest of a byte first. Requires: room for 8 bytes more than it writes.
class BitWriter {
 public:
  explicit BitWriter(std::byte* to) : to_(to) {}
  // Requires: bits is 1 to 64, and value has no others.
  void put(uint64_t value, unsigned bits) {
    if (bits > kPutBits) {
      put_few(value >> 32, bits - 32);
      value &= UINT32_MAX;
      bits = 32;
    }
    put_few(value, bits);
  }
  // The end of the bytes, the last one with zero bits filled up.
  std::byte* end() const { return to_ + (used_ + 7) / 8; }

 private:
  static constexpr unsigned kPutBits = 56;

  void put_few(uint64_t value, unsigned bits) {
    word_ |= value << (64 - used_ - bits);
    store_be(to_, word_);
    used_ += bits;
    to_ += used_ / 8;
    word_ <<= used_ / 8 * 8;
    used_ %= 8;
  }

  std::byte* to_;
  uint64_t word_ = 0;  // the byte that is not full, in its highest bits
  unsigned used_ = 0;  // of its bits, under 8
};

// Where two values differ, in bits: zeros before and after, and what is between.
struct Window {
  unsigned leading = 0, length = 0, trailing = 0;
};

Window read_window(uint64_t bits) {
  const auto head = static_cast<unsigned>(bits >> (64 - kNewWindowBits));
  const unsigned length = head & kLengthMask;
  Window window{head >> kLengthBits & kLeadingMask, length == 0 ? 64 : length, 0};
  if (window.leading + window.length > 64)
    throw TsmFormatError{"a block with a float of too many bits"};
  window.trailing = 64 - window.leading - window.length;
  return window;
}

// Gives the values behind the first, the end included.
class FloatReader {
 public:
  FloatReader(ByteView bytes) : bits_(bytes), value_(bits_.take(64)) {}
  uint64_t value() const { return value_; }
  void advance() {
    const uint64_t next = bits_.peek();
    if (next >> 63 == 0) {
      bits_.skip(1);
      return;
    }
    if (next >> 62 == 0b11) {
      window_ = read_window(next);
      bits_.skip(kNewWindowBits);
    } else {
      if (window_.length == 0) throw TsmFormatError{"a block with a float that follows none"};
      bits_.skip(2);
    }
    value_ ^= bits_.take(window_.length) << window_.trailing;
  }
  bool is_beyond_end() const { return bits_.is_beyond_end(); }

 private:
  BitReader bits_;
  uint64_t value_;
  Window window_;
};

// Puts the values behind the first.
class FloatWriter {
 public:
  FloatWriter(uint64_t first, std::byte* to) : bits_(to), value_(first) { bits_.put(first, 64); }
  void put(uint64_t value) {
    const uint64_t difference = value ^ value_;
    value_ = value;
    if (difference == 0) {
      bits_.put(0, 1);
      return;
    }
    const auto leading = static_cast<unsigned>(std::countl_zero(difference)) & kLeadingMask;
    const auto trailing = static_cast<unsigned>(std::countr_zero(difference));
    if (window_.length != 0 && leading >= window_.leading && trailing >= window_.trailing) {
      bits_.put(0b10, 2);
    } else {
      window_ = {leading, 64 - leading - trailing, trailing};
      bits_.put(0b11 << (kLeadingBits + kLengthBits) | leading << kLengthBits |
                    (window_.length & kLengthMask),
                kNewWindowBits);
    }
    bits_.put(difference >> window_.trailing, window_.length);
  }
  std::byte* end() const { return bits_.end(); }

 private:
  BitWriter bits_;
  uint64_t value_;
  Window window_;
};

}  // namespace

void decode_tsm_floats(ByteView values, std::span<uint64_t> out) {
  if (take_tsm_bytes(values, 1)[0] != kFloatsHead)
    throw TsmFormatError{"a block with an unknown encoding of floats"};
  FloatReader reader(values);
  for (uint64_t& value : out) {
    value = reader.value();
    if (value == kTsmFloatsEnd) throw TsmFormatError{"a block of fewer floats than times"};
    reader.advance();
  }
  if (reader.value() != kTsmFloatsEnd) throw TsmFormatError{"a block of more floats than times"};
  if (reader.is_beyond_end()) throw TsmFormatError{"a block that is cut off"};
}

std::byte* encode_tsm_floats(std::span<const uint64_t> values, std::byte* to) {
  *to++ = kFloatsHead;
  FloatWriter writer(values.empty() ? kTsmFloatsEnd : values[0], to);
  if (values.empty()) return writer.end();
  for (const uint64_t value : values.subspan(1)) writer.put(value);
  writer.put(kTsmFloatsEnd);
  return writer.end();
}

}  // namespace tsmfs::index
