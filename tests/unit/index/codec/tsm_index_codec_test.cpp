#include "index/codec/tsm_index_codec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "index/base/error.h"
#include "index/tsm/tsm_index.h"
#include "tests/support/point_tsm.h"
#include "tests/support/store_fixture.h"

namespace tsmfs::index {
namespace {

template <typename T>
void be(std::string& out, T value) {
  std::byte bytes[sizeof value];
  store_be(bytes, value);
  out += as_text(bytes);
}

struct Entry {
  uint64_t min, max, offset;
  uint32_t length;
};

std::string key_of(const std::string& name, uint8_t type, const std::vector<Entry>& entries) {
  std::string out;
  be(out, static_cast<uint16_t>(name.size()));
  out += name;
  be(out, type);
  be(out, static_cast<uint16_t>(entries.size()));
  for (const Entry& entry : entries) {
    be(out, entry.min);
    be(out, entry.max);
    be(out, entry.offset);
    be(out, entry.length);
  }
  return out;
}

ByteBuffer encode(const std::vector<std::string>& pieces) {
  TsmIndexEncoder encoder;
  for (const std::string& piece : pieces) EXPECT_TRUE(encoder.add(as_bytes(piece)));
  ZstdCompressor zstd(3);
  ByteBuffer out;
  encoder.encode(out, zstd);
  return out;
}

std::string decode(ByteView stored, size_t length) {
  std::string out(length, 'x');
  decode_tsm_index(stored, std::as_writable_bytes(std::span(out)), "frame");
  return out;
}

void expect_back(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  EXPECT_EQ(decode(encode(pieces), all.size()), all);
}

std::string index_of(const ByteBuffer& tsm) {
  const uint64_t begin = load_be<uint64_t>(tsm.data() + tsm.size() - kTsmFooterBytes);
  return std::string(as_text(tsm)).substr(begin, tsm.size() - kTsmFooterBytes - begin);
}

TEST(TsmIndexCodec, GivesBackWhatItTook) {
  expect_back({key_of("a", 0, {{1, 2, 5, 100}})});
  expect_back({key_of("a", 0, {{1, 2, 5, 100}, {3, 9, 105, 7}}) + key_of("ab", 4, {{3, 3, 0, 0}}),
               key_of("", 3, {}), key_of(std::string(65'535, 'k'), 1, {{0, 0, 0, UINT32_MAX}})});
  // What no server writes: times that fall, offsets that jump, keys that are not in order.
  const uint64_t most = UINT64_MAX, half = uint64_t{1} << 63;
  expect_back({key_of("z", 2, {{most, 0, most, 1}, {half, half - 1, 0, 0}, {0, most, half, 9}}) +
               key_of("a", 2, {{half, most, 1, 1}})});
}

TEST(TsmIndexCodec, OfARealIndexLittleIsLeft) {
  test::KeyTimes keys;
  for (int host = 0; host < 200; ++host)
    for (const char* field : {"usage_idle", "usage_system", "usage_user"}) {
      auto& times =
          keys[fmt::format("cpu,cpu=cpu-total,host=host{:03},region=eu#!~#{}", host, field)];
      for (int64_t i = 0; i < 300; ++i)
        times.push_back(1'700'000'000'000'000'000 + i * 10'000'000'000);
    }
  const std::string index = index_of(test::make_point_tsm(keys, 100));
  EXPECT_LT(encode({index}).size() * 20, index.size());
  expect_back({index});
}

TEST(TsmIndexCodec, WhatIsNoIndexIsNotTaken) {
  const std::string key = key_of("cpu#!~#usage", 0, {{1, 2, 5, 100}});
  TsmIndexEncoder encoder;
  EXPECT_FALSE(encoder.add({}));
  EXPECT_FALSE(encoder.add(as_bytes(key.substr(1))));
  EXPECT_FALSE(encoder.add(as_bytes(key.substr(0, key.size() - 1))));
  EXPECT_FALSE(encoder.add(as_bytes(key + "x")));
  EXPECT_FALSE(encoder.add(as_bytes(key_of("cpu#!~#usage", kTsmUnsignedType + 1, {}))));
  EXPECT_FALSE(encoder.add(test::random_bytes(5000, 1)));
  EXPECT_TRUE(encoder.is_empty());
  EXPECT_TRUE(encoder.add(as_bytes(key)));
}

TEST(TsmIndexCodec, DamageIsTold) {
  const std::string index = key_of("a", 0, {{1, 2, 5, 100}, {3, 9, 105, 7}}) + key_of("ab", 4, {});
  const ByteBuffer stored = encode({index});
  for (size_t length = 0; length < stored.size(); ++length)
    EXPECT_THROW(decode(ByteView(stored).first(length), index.size()), CorruptError);
  for (const size_t length : {size_t{0}, index.size() - 1, index.size() + 1})
    EXPECT_THROW(decode(stored, length), CorruptError);
  for (size_t at = 0; at < stored.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      ByteBuffer damaged = stored;
      damaged[at] ^= static_cast<std::byte>(1u << bit);
      try {
        decode(damaged, index.size());  // another index, or
      } catch (const CorruptError&) {
      }
    }
}

RC_GTEST_PROP(TsmIndexCodec, AnyKeysComeBack, ()) {
  std::vector<std::string> pieces;
  const auto count = *rc::gen::inRange(1, 4);
  for (int i = 0; i < count; ++i) {
    std::string piece;
    const auto keys = *rc::gen::inRange(1, 6);
    for (int key = 0; key < keys; ++key) {
      std::vector<Entry> entries;
      for (const auto& [min, max] :
           *rc::gen::arbitrary<std::vector<std::pair<uint64_t, uint64_t>>>())
        entries.push_back(
            {min, max, *rc::gen::arbitrary<uint64_t>(), *rc::gen::arbitrary<uint32_t>()});
      piece += key_of(*rc::gen::arbitrary<std::string>(),
                      static_cast<uint8_t>(*rc::gen::inRange(0, 5)), entries);
    }
    pieces.push_back(piece);
  }
  expect_back(pieces);
}

}  // namespace
}  // namespace tsmfs::index
