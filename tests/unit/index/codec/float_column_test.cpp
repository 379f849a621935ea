#include "index/codec/float_column.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "index/base/error.h"

namespace tsmfs::index {
namespace {

using Bits = std::vector<uint64_t>;

struct Column {
  ByteBuffer heads, words;
  Bits integers;

  explicit Column(const Bits& values) {
    FloatColumnEncoder encoder;
    const auto found = encoder.add(values, heads, words);
    integers.assign(found.begin(), found.end());
  }
  unsigned kind() const { return std::to_integer<unsigned>(heads.at(0)); }
  Bits decoded() const {
    ByteReader head(heads, "heads"), word(words, "words");
    FloatColumn column;
    column.read(integers.size(), head, word);
    head.expect_end();
    word.expect_end();
    Bits values = integers;
    column.to_floats(values, head);
    return values;
  }
};

Bits bits_of(std::initializer_list<double> values) {
  Bits bits;
  for (const double value : values) bits.push_back(std::bit_cast<uint64_t>(value));
  return bits;
}

Bits made(size_t count, double (*value)(int)) {
  Bits bits;
  for (size_t i = 0; i < count; ++i)
    bits.push_back(std::bit_cast<uint64_t>(value(static_cast<int>(i))));
  return bits;
}

TEST(FloatColumn, DecimalsAreIntegers) {
  const Column two(made(1000, [](int i) { return static_cast<double>(i * 7919 % 10'000) / 100; }));
  EXPECT_EQ(two.kind(), 2u);
  EXPECT_EQ(two.words.size(), 0u);
  EXPECT_EQ(two.integers[1], 7919u);
  EXPECT_EQ(Column(bits_of({1, 2, 3e15})).kind(), 0u);
  EXPECT_EQ(Column(bits_of({1, 0.12345678901234})).kind(), 14u);
}

TEST(FloatColumn, AFewOthersAreExceptions) {
  Bits values = made(1000, [](int i) { return i / 10.0; });
  for (const size_t at : {size_t{0}, size_t{500}, size_t{999}})
    values[at] = std::bit_cast<uint64_t>(at == 500 ? std::nan("7") : -0.0);
  const Column column(values);
  EXPECT_EQ(column.kind(), 1u);
  EXPECT_EQ(column.words.size(), 3 * 8u);
  EXPECT_EQ(column.decoded(), values);
}

TEST(FloatColumn, FewValuesAreADictionaryAndNoiseIsBits) {
  const Bits few = made(1000, [](int i) { return std::sqrt(i % 9); });
  EXPECT_EQ(Column(few).kind(), 15u);
  EXPECT_EQ(Column(few).decoded(), few);
  const Bits noise = made(1000, [](int i) { return std::sin(i) * std::pow(10, i % 600 - 300); });
  EXPECT_EQ(Column(noise).kind(), 16u);
  EXPECT_EQ(Column(noise).decoded(), noise);
}

TEST(FloatColumn, EveryKindOfNumberComesBack) {
  using Limits = std::numeric_limits<double>;
  const Bits values =
      bits_of({0.0, -0.0, 1, -1, Limits::infinity(), -Limits::infinity(), Limits::denorm_min(),
               -Limits::denorm_min(), Limits::max(), Limits::lowest(), Limits::min(),
               Limits::quiet_NaN(), 9e15, -9e15, 9007199254740993.0, 0.1, 1e-14, 123456.789});
  EXPECT_EQ(Column(values).decoded(), values);
  for (const uint64_t value : values) {
    EXPECT_EQ(Column({value}).decoded(), Bits{value});
    EXPECT_EQ(Column(Bits(100, value)).decoded(), Bits(100, value));
  }
}

TEST(FloatColumn, DamageIsTold) {
  const auto read = [](std::initializer_list<unsigned> head, size_t word_bytes) {
    ByteBuffer heads;
    for (const unsigned value : head) heads.push_back(static_cast<std::byte>(value));
    const ByteBuffer words(word_bytes);
    ByteReader heads_reader(heads, "heads"), words_reader(words, "words");
    FloatColumn column;
    column.read(4, heads_reader, words_reader);
    Bits values{0, 1, 2, 3};
    column.to_floats(values, heads_reader);
  };
  EXPECT_NO_THROW(read({2, 1, 3}, 8));
  EXPECT_THROW(read({17}, 0), CorruptError);
  EXPECT_THROW(read({2, 1, 4}, 8), CorruptError);      // no such place
  EXPECT_THROW(read({2, 2, 3, 1}, 16), CorruptError);  // nor then
  EXPECT_THROW(read({2, 5}, 80), CorruptError);        // more than there are
  EXPECT_THROW(read({2, 1, 3}, 7), CorruptError);
  EXPECT_THROW(read({15, 3}, 24), CorruptError);  // a number that the dictionary lacks
  EXPECT_THROW(read({15, 4}, 31), CorruptError);
}

RC_GTEST_PROP(FloatColumn, AnyBitsComeBack, (const Bits& some, bool decimal)) {
  Bits values = some;
  values.push_back(0);
  if (decimal)
    for (uint64_t& value : values)
      value = std::bit_cast<uint64_t>(static_cast<double>(value % 1'000'000) / 1000);
  RC_ASSERT(Column(values).decoded() == values);
}

}  // namespace
}  // namespace tsmfs::index
