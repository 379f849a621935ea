#include "index/codec/integer_column.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace tsmfs::index {

namespace {

constexpr size_t kGroupHeadBits = 16;
constexpr unsigned kExceptionsMax = 24;  // more never pay: each takes 16 bits at least

using Widths = std::array<uint16_t, kBitsMax + 1>;  // how many codes have so many bits

Widths widths_of(std::span<const uint64_t> group) {
  Widths widths{};
  for (const uint64_t code : group) ++widths[static_cast<size_t>(std::bit_width(code))];
  return widths;
}

struct GroupChoice {
  unsigned width = kBitsMax;
  uint64_t bits = UINT64_MAX;
};

// Of a code of so many bits beyond the width: a byte for its place, its higher bits as a varint.
uint64_t exception_bits(unsigned beyond) {
  return 8 + uint64_t{8} * ((beyond + 6) / 7);
}

// From the widest down: each bit less saves one of every code, and costs its exceptions.
GroupChoice choose_width(const Widths& widths, size_t count) {
  unsigned widest = kBitsMax;
  while (widest > 0 && widths[widest] == 0) --widest;
  GroupChoice best{widest, kGroupHeadBits + count * widest};
  uint64_t exceptions = 0;
  for (unsigned width = widest; width-- > 0;) {
    exceptions += widths[width + 1];
    if (exceptions > kExceptionsMax) break;
    uint64_t bits = kGroupHeadBits + count * width;
    for (unsigned wider = width + 1; wider <= widest; ++wider)
      bits += widths[wider] * exception_bits(wider - width);
    if (bits < best.bits) best = {width, bits};
  }
  return best;
}

// In two's complement: what lies before 0 is large.
uint64_t magnitude(uint64_t value) {
  return static_cast<int64_t>(value) < 0 ? 0 - value : value;
}

}  // namespace

uint64_t IntegerColumnEncoder::base(std::span<const uint64_t> values) const {
  const auto least = std::ranges::min_element(
      values, {}, [](uint64_t value) { return static_cast<int64_t>(value); });
  return *least;
}

// Leaves differences of order 1 and 2 in two's complement.
void IntegerColumnEncoder::differences(std::span<const uint64_t> values, unsigned order) {
  codes_.assign(values.begin(), values.end());
  if (order == 0) {
    const uint64_t least = base(values);
    for (uint64_t& code : codes_) code -= least;
    return;
  }
  for (unsigned round = 0; round < order; ++round)
    for (size_t i = codes_.size(); i-- > round + 1;) codes_[i] -= codes_[i - 1];
  codes_.erase(codes_.begin(), codes_.begin() + order);
}

// Divides the codes by what divides them all; those that are signed become zigzag.
uint64_t IntegerColumnEncoder::take_divisor(bool is_signed) {
  uint64_t divisor = 0;
  for (const uint64_t code : codes_) {
    divisor = std::gcd(divisor, is_signed ? magnitude(code) : code);
    if (divisor == 1) break;
  }
  if (divisor == 0 || static_cast<int64_t>(divisor) < 0) divisor = 1;
  if (divisor > 1) {
    for (uint64_t& code : codes_)
      code = is_signed
                 ? static_cast<uint64_t>(static_cast<int64_t>(code) / static_cast<int64_t>(divisor))
                 : code / divisor;
  }
  if (is_signed)
    for (uint64_t& code : codes_) code = zigzag(static_cast<int64_t>(code));
  return divisor;
}

uint64_t IntegerColumnEncoder::cost() const {
  uint64_t bits = 0;
  for (size_t begin = 0; begin < codes_.size(); begin += kGroupValues) {
    const size_t count = std::min(kGroupValues, codes_.size() - begin);
    bits += choose_width(widths_of(std::span(codes_).subspan(begin, count)), count).bits;
  }
  return bits;
}

unsigned IntegerColumnEncoder::add(std::span<const uint64_t> values, IntegerSections& out) {
  Choice best;
  for (unsigned order = 0; order <= kOrderMax && order < values.size(); ++order) {
    differences(values, order);
    const uint64_t divisor = take_divisor(order > 0);
    if (const uint64_t bits = cost(); bits < best.bits) best = {order, divisor, bits};
  }
  differences(values, best.order);
  take_divisor(best.order > 0);
  ByteWriter heads(out.heads);
  heads.varint(best.divisor);
  if (best.order == 0) heads.svarint(static_cast<int64_t>(base(values)));
  for (unsigned i = 0; i < best.order; ++i) heads.svarint(static_cast<int64_t>(values[i]));
  add_groups(out);
  return best.order;
}

void IntegerColumnEncoder::add_groups(IntegerSections& out) const {
  ByteWriter groups(out.groups);
  for (size_t begin = 0; begin < codes_.size(); begin += kGroupValues) {
    const auto group =
        std::span(codes_).subspan(begin, std::min(kGroupValues, codes_.size() - begin));
    const unsigned width = choose_width(widths_of(group), group.size()).width;
    const auto is_wider = [width](uint64_t code) {
      return static_cast<unsigned>(std::bit_width(code)) > width;
    };
    groups.u8(static_cast<uint8_t>(width));
    groups.u8(static_cast<uint8_t>(std::ranges::count_if(group, is_wider)));
    for (size_t i = 0; i < group.size(); ++i) {
      if (!is_wider(group[i])) continue;
      groups.u8(static_cast<uint8_t>(i));
      groups.varint(group[i] >> width);
    }
    pack_bits(group, width, out.bits);
  }
}

void IntegerColumnDecoder::next(unsigned order, std::span<uint64_t> out) {
  const uint64_t divisor = heads_.varint(INT64_MAX);
  if (divisor == 0) heads_.fail("a column that is divided by 0");
  if (order >= out.size() && order > 0) heads_.fail("a column of fewer values than it begins with");
  if (order == 0) {
    const auto base = static_cast<uint64_t>(heads_.svarint());
    next_codes(out);
    for (uint64_t& value : out) value = base + value * divisor;
    return;
  }
  uint64_t value = static_cast<uint64_t>(heads_.svarint()), step = 0;
  out[0] = value;
  if (order == 2) {
    out[1] = static_cast<uint64_t>(heads_.svarint());
    step = out[1] - out[0];
    value = out[1];
  }
  const auto rest = out.subspan(order);
  next_codes(rest);
  for (uint64_t& code : rest) {
    const uint64_t difference = static_cast<uint64_t>(unzigzag(code)) * divisor;
    step = order == 1 ? difference : step + difference;
    code = value += step;
  }
}

void IntegerColumnDecoder::next_codes(std::span<uint64_t> out) {
  for (; !out.empty(); out = out.subspan(std::min(kGroupValues, out.size())))
    next_group(out.first(std::min(kGroupValues, out.size())));
}

void IntegerColumnDecoder::next_group(std::span<uint64_t> out) {
  const unsigned width = groups_.u8();
  const unsigned exceptions = groups_.u8();
  const size_t bytes = packed_bytes(out.size(), width);
  if (width > kBitsMax || bytes > bits_.size()) groups_.fail("a group of too many bits");
  unpack_bits(bits_.data(), width, out);
  bits_ = bits_.subspan(bytes);
  size_t next_place = 0;
  for (unsigned i = 0; i < exceptions; ++i) {
    const size_t place = groups_.u8();
    if (place < next_place || place >= out.size() || width >= kBitsMax)
      groups_.fail("an exception that cannot be");
    const uint64_t higher = groups_.varint(UINT64_MAX >> width);
    out[place] |= higher << width;
    next_place = place + 1;
  }
}

void IntegerColumnDecoder::expect_end() const {
  if (!bits_.empty()) groups_.fail("bits that are no group's");
}

}  // namespace tsmfs::index
