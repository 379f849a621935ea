// Floats as integers: the decimal numbers that people mean, few values by their number, or bits.
//
// What a block of floats is (u8 in `heads`):
//   0 to 14   decimal: an integer divided by 10 to that power; then varint exceptions, and per
//             exception varint values since the last one; its bits (8 bytes) stand in `words`
//   15        dictionary: then varint count; the values' bits in `words`, in order
//   16        bits: in the order of the numbers
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/base/bytes.h"

namespace tsmfs::index {

// Not thread safe; its memory is used again.
class FloatColumnEncoder {
 public:
  // Appends what it needs beside, and returns the integers. Good until the next call. Requires:
  // values, bits each, is not empty.
  std::span<const uint64_t> add(std::span<const uint64_t> values, ByteBuffer& heads,
                                ByteBuffer& words);

 private:
  bool add_decimal(std::span<const uint64_t> values, ByteBuffer& heads, ByteBuffer& words);
  bool add_dictionary(std::span<const uint64_t> values, ByteBuffer& heads, ByteBuffer& words);
  bool find_exponent(std::span<const uint64_t> values, unsigned& exponent);

  std::vector<uint64_t> codes_, distinct_;
  std::vector<size_t> exceptions_;
};

// Between reading the integers and turning them into floats again.
struct FloatColumn {
  uint8_t kind = 0;
  std::vector<std::pair<size_t, uint64_t>> exceptions;
  std::vector<uint64_t> dictionary;

  // Reads what stands beside the integers. Throws: CorruptError.
  void read(size_t count, ByteReader& heads, ByteReader& words);
  // Turns integers into the bits of floats. Throws: CorruptError, by `heads`.
  void to_floats(std::span<uint64_t> values, const ByteReader& heads) const;
};

}  // namespace tsmfs::index
