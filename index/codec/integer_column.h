// Integers as differences in few bits.
//
// A column is stored as the difference of order 0 (to a base: the least value), 1 (to the value
// before, zigzag) or 2 (of those differences, zigzag), divided by what divides all of them, in
// groups of 128. A group has a width; what is wider is an exception, whose higher bits stand apart
// (patched frame of reference: Zukowski et al., "Super-Scalar RAM-CPU Cache Compression", ICDE
// '06).
//
//   heads   varint divisor; svarint base (order 0), or the first one or two values as svarints
//   groups  per group: u8 width, u8 exceptions; per exception: u8 place in the group, varint
//           higher bits
//   bits    per group: packed (bit_pack.h)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "index/base/bytes.h"
#include "index/codec/bit_pack.h"

namespace tsmfs::index {

constexpr unsigned kOrderMax = 2;
constexpr size_t kGroupValues = 128;

struct IntegerSections {
  ByteBuffer heads, groups, bits;
};

// Not thread safe; its memory is used again.
class IntegerColumnEncoder {
 public:
  // Appends the values (as two's complement) in the order that takes fewest bits, and returns it.
  // Requires: values is not empty.
  unsigned add(std::span<const uint64_t> values, IntegerSections& out);

 private:
  struct Choice {
    unsigned order = 0;
    uint64_t divisor = 1;
    uint64_t bits = UINT64_MAX;
  };
  void differences(std::span<const uint64_t> values, unsigned order);
  uint64_t base(std::span<const uint64_t> values) const;
  uint64_t take_divisor(bool is_signed);
  uint64_t cost() const;
  void add_groups(IntegerSections& out) const;

  std::vector<uint64_t> codes_;  // of the order that is looked at
};

// Reads what was added, column by column. Not thread safe.
class IntegerColumnDecoder {
 public:
  // `bits` has kPackSlackBytes behind it. Requires: all outlive it.
  IntegerColumnDecoder(ByteReader& heads, ByteReader& groups, ByteView bits)
      : heads_(heads), groups_(groups), bits_(bits) {}
  // Fills `out`. Requires: order <= kOrderMax; out is not empty. Throws: CorruptError.
  void next(unsigned order, std::span<uint64_t> out);
  // Throws: CorruptError when bits are left over.
  void expect_end() const;

 private:
  void next_codes(std::span<uint64_t> out);
  void next_group(std::span<uint64_t> out);

  ByteReader& heads_;
  ByteReader& groups_;
  ByteView bits_;
};

}  // namespace tsmfs::index
