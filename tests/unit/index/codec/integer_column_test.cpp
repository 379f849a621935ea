#include "index/codec/integer_column.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>
#include <random>

#include "index/base/error.h"
#include "index/codec/section.h"

namespace tsmfs::index {
namespace {

struct Columns {
  IntegerSections sections;
  std::vector<unsigned> orders;
  std::vector<size_t> counts;
  IntegerColumnEncoder encoder;

  void add(const std::vector<uint64_t>& values) {
    orders.push_back(encoder.add(values, sections));
    counts.push_back(values.size());
  }
  // As sections of a frame.
  size_t bytes() const {
    ByteBuffer out;
    ZstdCompressor zstd(3);
    for (const ByteBuffer* section : {&sections.heads, &sections.groups, &sections.bits})
      append_section(out, *section, zstd);
    return out.size();
  }
  std::vector<std::vector<uint64_t>> decoded() const {
    ByteBuffer bits = sections.bits;
    bits.resize(bits.size() + kPackSlackBytes);
    ByteReader heads(sections.heads, "heads"), groups(sections.groups, "groups");
    IntegerColumnDecoder decoder(heads, groups, ByteView(bits).first(sections.bits.size()));
    std::vector<std::vector<uint64_t>> all;
    for (size_t i = 0; i < counts.size(); ++i) {
      all.emplace_back(counts[i]);
      decoder.next(orders[i], all.back());
    }
    decoder.expect_end();
    heads.expect_end();
    groups.expect_end();
    return all;
  }
};

std::vector<uint64_t> made(size_t count, const std::function<int64_t(int64_t)>& value) {
  std::vector<uint64_t> values;
  for (size_t i = 0; i < count; ++i)
    values.push_back(static_cast<uint64_t>(value(static_cast<int64_t>(i))));
  return values;
}

TEST(IntegerColumn, GivesBackWhatItTook) {
  std::vector<std::vector<uint64_t>> columns = {
      {0},
      {UINT64_MAX},
      {uint64_t{1} << 63},
      {5, 5},
      {0, UINT64_MAX, uint64_t{1} << 63, INT64_MAX, 1},
      made(1000, [](int64_t i) { return i; }),
      made(1000, [](int64_t i) { return i * i * 1000; }),
      made(300, [](int64_t i) { return i % 2 == 0 ? INT64_MIN : INT64_MAX; }),
      made(129, [](int64_t i) { return i == 128 ? INT64_MIN : -7; }),
      made(10'000, [](int64_t i) { return (i * 7919) % 1000 * 60 - 5'000'000; })};
  Columns all;
  for (const auto& column : columns) all.add(column);
  EXPECT_EQ(all.decoded(), columns);
}

// Not of a line: differences of (i * prime) % number are one again.
int64_t noise(int64_t below) {
  static std::mt19937_64 random(1);
  return static_cast<int64_t>(random() % static_cast<uint64_t>(below));
}

TEST(IntegerColumn, TheOrderThatFitsIsFound) {
  Columns flat, walk, curve;
  int64_t place = 1'000'000;
  flat.add(made(1000, [](int64_t) { return noise(1000); }));
  walk.add(made(1000, [&](int64_t) { return place += noise(15) - 7; }));
  curve.add(made(1000, [](int64_t i) { return i * i * 17; }));
  EXPECT_EQ(flat.orders[0], 0u);
  EXPECT_EQ(walk.orders[0], 1u);
  EXPECT_EQ(curve.orders[0], 2u);
  EXPECT_LT(flat.bytes(), 1000 * 10 / 8 + 50u);
  EXPECT_LT(walk.bytes(), 1000 * 4 / 8 + 50u);
  EXPECT_LT(curve.bytes(), 80u);
}

TEST(IntegerColumn, WhatDividesAllIsTakenOut) {
  Columns multiplied;
  multiplied.add(made(1000, [](int64_t) { return noise(1000) * 1'000'000; }));
  EXPECT_LT(multiplied.bytes(), 1000 * 10 / 8 + 50u);
}

TEST(IntegerColumn, AFewThatAreLargeDoNotWidenTheOthers) {
  Columns spiky;
  spiky.add(made(1280, [](int64_t i) { return i % 128 == 77 ? INT64_MAX : noise(16); }));
  EXPECT_LT(spiky.bytes(), 1280 * 4 / 8 + 10 * 12 + 50u);
}

TEST(IntegerColumn, DamageIsTold) {
  const auto decode = [](const ByteBuffer& heads_bytes, const ByteBuffer& groups_bytes,
                         size_t bits_bytes, unsigned order, size_t count) {
    ByteBuffer bits(bits_bytes + kPackSlackBytes);
    ByteReader heads(heads_bytes, "heads"), groups(groups_bytes, "groups");
    IntegerColumnDecoder decoder(heads, groups, ByteView(bits).first(bits_bytes));
    std::vector<uint64_t> out(count);
    decoder.next(order, out);
    decoder.expect_end();
  };
  const auto bytes = [](std::initializer_list<unsigned> values) {
    ByteBuffer out;
    for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
    return out;
  };
  EXPECT_NO_THROW(decode(bytes({1, 0}), bytes({8, 0}), 2, 0, 2));
  EXPECT_THROW(decode(bytes({0, 0}), bytes({8, 0}), 2, 0, 2), CorruptError);        // divided by 0
  EXPECT_THROW(decode(bytes({1, 0}), bytes({8, 0}), 1, 0, 2), CorruptError);        // too few bits
  EXPECT_THROW(decode(bytes({1, 0}), bytes({8, 0}), 3, 0, 2), CorruptError);        // too many
  EXPECT_THROW(decode(bytes({1, 0}), bytes({65, 0}), 99, 0, 2), CorruptError);      // too wide
  EXPECT_THROW(decode(bytes({1, 0}), bytes({8, 1, 2, 1}), 2, 0, 2), CorruptError);  // no such place
  EXPECT_THROW(decode(bytes({1, 0}), bytes({64, 1, 1, 1}), 16, 0, 2), CorruptError);
  EXPECT_THROW(decode(bytes({1, 0, 0}), bytes({8, 0}), 2, 2, 2), CorruptError);  // begins with two
  EXPECT_THROW(decode(bytes({1}), bytes({8, 0}), 2, 0, 2), CorruptError);
  EXPECT_THROW(decode(bytes({1, 0}), bytes({8}), 2, 0, 2), CorruptError);
}

RC_GTEST_PROP(IntegerColumn, AnyColumnsComeBack, ()) {
  const auto columns = *rc::gen::container<std::vector<std::vector<uint64_t>>>(
      rc::gen::nonEmpty(rc::gen::container<std::vector<uint64_t>>(rc::gen::oneOf(
          rc::gen::arbitrary<uint64_t>(), rc::gen::inRange<uint64_t>(0, 100),
          rc::gen::element<uint64_t>(0, UINT64_MAX, uint64_t{1} << 63, INT64_MAX)))));
  Columns all;
  for (const auto& column : columns) all.add(column);
  RC_ASSERT(all.decoded() == columns);
}

}  // namespace
}  // namespace tsmfs::index
