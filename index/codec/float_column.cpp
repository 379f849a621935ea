#include "index/codec/float_column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace tsmfs::index {

namespace {

constexpr unsigned kExponentMax = 14;
constexpr uint8_t kDictionary = 15, kBits = 16;
constexpr double kIntegerMax = 9e15;  // below 2^53: each is a double
constexpr std::array<double, kExponentMax + 1> kPowers = {
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};
constexpr size_t kExceptionShare = 16;       // one in so many, at most
constexpr size_t kValuesPerDistinctMin = 6;  // of a dictionary

// The integer that, divided by the power, is the number to the bit; false when there is none.
bool to_decimal(uint64_t bits, unsigned exponent, int64_t& integer) {
  const double value = std::bit_cast<double>(bits);
  const double scaled = value * kPowers[exponent];
  if (!(std::fabs(scaled) < kIntegerMax)) return false;  // nor NaN
  integer = std::llrint(scaled);
  return std::bit_cast<uint64_t>(static_cast<double>(integer) / kPowers[exponent]) == bits;
}

uint64_t in_order(uint64_t bits) {
  return static_cast<int64_t>(bits) < 0 ? bits ^ INT64_MAX : bits;
}

}  // namespace

// The smallest with which few are exceptions.
bool FloatColumnEncoder::find_exponent(std::span<const uint64_t> values, unsigned& exponent) {
  const size_t exceptions_max = values.size() / kExceptionShare;
  size_t exceptions = 0;
  exponent = 0;
  for (const uint64_t value : values) {
    int64_t integer = 0;
    unsigned wanted = exponent;
    while (wanted <= kExponentMax && !to_decimal(value, wanted, integer)) ++wanted;
    if (wanted <= kExponentMax)
      exponent = wanted;
    else if (++exceptions > exceptions_max)
      return false;
  }
  return true;
}

bool FloatColumnEncoder::add_decimal(std::span<const uint64_t> values, ByteBuffer& heads,
                                     ByteBuffer& words) {
  unsigned exponent = 0;
  if (!find_exponent(values, exponent)) return false;
  codes_.clear();
  exceptions_.clear();
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t integer = 0;
    if (to_decimal(values[i], exponent, integer)) {
      codes_.push_back(static_cast<uint64_t>(integer));
    } else {
      codes_.push_back(codes_.empty() ? 0 : codes_.back());
      exceptions_.push_back(i);
    }
  }
  // A larger exponent than some were found with.
  if (exceptions_.size() > values.size() / kExceptionShare) return false;
  ByteWriter head(heads), word(words);
  head.u8(static_cast<uint8_t>(exponent));
  head.varint(exceptions_.size());
  for (size_t i = 0, last = 0; i < exceptions_.size(); last = exceptions_[i++]) {
    head.varint(exceptions_[i] - last);
    word.le(values[exceptions_[i]]);
  }
  return true;
}

bool FloatColumnEncoder::add_dictionary(std::span<const uint64_t> values, ByteBuffer& heads,
                                        ByteBuffer& words) {
  distinct_.clear();
  const size_t distinct_max = values.size() / kValuesPerDistinctMin;
  for (const uint64_t value : values) {
    const auto at = std::ranges::lower_bound(distinct_, in_order(value), {}, in_order);
    if (at != distinct_.end() && *at == value) continue;
    if (distinct_.size() >= distinct_max) return false;
    distinct_.insert(at, value);
  }
  codes_.clear();
  for (const uint64_t value : values)
    codes_.push_back(static_cast<uint64_t>(
        std::ranges::lower_bound(distinct_, in_order(value), {}, in_order) - distinct_.begin()));
  ByteWriter head(heads), word(words);
  head.u8(kDictionary);
  head.varint(distinct_.size());
  for (const uint64_t value : distinct_) word.le(value);
  return true;
}

std::span<const uint64_t> FloatColumnEncoder::add(std::span<const uint64_t> values,
                                                  ByteBuffer& heads, ByteBuffer& words) {
  if (add_decimal(values, heads, words) || add_dictionary(values, heads, words)) return codes_;
  ByteWriter(heads).u8(kBits);
  codes_.clear();
  for (const uint64_t value : values) codes_.push_back(in_order(value));
  return codes_;
}

void FloatColumn::read(size_t count, ByteReader& heads, ByteReader& words) {
  exceptions.clear();
  dictionary.clear();
  kind = heads.u8();
  if (kind > kBits) heads.fail("floats of an unknown kind");
  if (kind <= kExponentMax) {
    const uint64_t number = heads.varint(count);
    for (uint64_t i = 0, place = 0; i < number; ++i) {
      const uint64_t step = heads.varint(count);
      place += step;
      if (place >= count || (i > 0 && step == 0)) heads.fail("an exception that cannot be");
      exceptions.emplace_back(place, words.le<uint64_t>());
    }
  } else if (kind == kDictionary) {
    const uint64_t number = heads.varint(count);
    for (uint64_t i = 0; i < number; ++i) dictionary.push_back(words.le<uint64_t>());
  }
}

void FloatColumn::to_floats(std::span<uint64_t> values, const ByteReader& heads) const {
  if (kind == kBits) {
    for (uint64_t& value : values) value = in_order(value);
  } else if (kind == kDictionary) {
    for (uint64_t& value : values) {
      if (value >= dictionary.size()) heads.fail("a value that the dictionary lacks");
      value = dictionary[value];
    }
  } else {
    const double power = kPowers[kind];
    for (uint64_t& value : values)
      value = std::bit_cast<uint64_t>(static_cast<double>(static_cast<int64_t>(value)) / power);
    for (const auto& [place, bits] : exceptions) values[place] = bits;
  }
}

}  // namespace tsmfs::index
