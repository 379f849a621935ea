#include "index/blocks/integer_codec.h"

#include <gtest/gtest.h>

namespace tsmfs::index {
namespace {

ByteBuffer encode_integers(const std::vector<int64_t>& values,
                           TsmDialect dialect = TsmDialect::kStream) {
  const std::vector<uint64_t> bits(values.begin(), values.end());
  std::vector<uint64_t> deltas, decoded(values.size());
  ByteBuffer out(tsm_integers_bytes_max(values.size()));
  out.resize(
      static_cast<size_t>(encode_tsm_integers(bits, dialect, deltas, out.data()) - out.data()));
  decode_tsm_integers(out, decoded);
  EXPECT_EQ(decoded, bits);
  return out;
}

TEST(IntegerCodec, EqualDeltasOfThreeAreARun) {
  EXPECT_EQ(to_hex(encode_integers({5, 4, 3})),
            "20"
            "000000000000000a"
            "0102");
  EXPECT_EQ(to_hex(encode_integers({-1, 1})),
            "10"
            "0000000000000001"
            "f000000000000004");
}

TEST(IntegerCodec, OneIntegerHasNoWords) {
  EXPECT_EQ(to_hex(encode_integers({3})),
            "10"
            "0000000000000006");
}

TEST(IntegerCodec, WideDeltasAreRaw) {
  const std::vector<int64_t> values = {0, INT64_MAX, INT64_MIN, 0};
  for (const TsmDialect dialect : {TsmDialect::kStream, TsmDialect::kBatch})
    EXPECT_EQ(to_hex(encode_integers(values, dialect)),
              "00"
              "0000000000000000"
              "fffffffffffffffe"
              "0000000000000002"
              "ffffffffffffffff");
}

TEST(IntegerCodec, AWideFirstValueIsRawInOneDialectOnly) {
  const std::vector<int64_t> values = {INT64_MAX, INT64_MAX - 1, INT64_MAX - 5};
  EXPECT_EQ(encode_integers(values, TsmDialect::kStream)[0], std::byte{0x00});
  EXPECT_EQ(encode_integers(values, TsmDialect::kBatch)[0], std::byte{0x10});
}

TEST(IntegerCodec, RefusesAnotherNumberOfValues) {
  for (const auto& values : {std::vector<int64_t>{1, 2, 3, 4}, {1, 2, 9}, {0, INT64_MAX, 7}}) {
    const ByteBuffer encoded = encode_integers(values);
    for (size_t count = 0; count < 8; ++count) {
      std::vector<uint64_t> out(count);
      if (count != values.size()) {
        EXPECT_THROW(decode_tsm_integers(encoded, out), TsmFormatError);
      }
    }
  }
}

}  // namespace
}  // namespace tsmfs::index
