#include "index/blocks/float_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace tsmfs::index {
namespace {

ByteBuffer encode_floats(const std::vector<uint64_t>& values) {
  ByteBuffer out(tsm_floats_bytes_max(values.size()));
  out.resize(static_cast<size_t>(encode_tsm_floats(values, out.data()) - out.data()));
  std::vector<uint64_t> decoded(values.size());
  decode_tsm_floats(out, decoded);
  EXPECT_EQ(decoded, values);
  return out;
}

// The end is a value like the others: 11, 0 or 1 leading zeros, 64 or 63 bits.
TEST(FloatCodec, TheEndIsAValue) {
  EXPECT_EQ(to_hex(encode_floats({0})),
            "10"
            "0000000000000000"
            "c3ffff800000000000"
            "10");
  EXPECT_EQ(to_hex(encode_floats({0, 0})),
            "10"
            "0000000000000000"
            "61ffffc000000000"
            "0008");
}

TEST(FloatCodec, LeadingZerosBeyondThirtyOneWrap) {
  // 40 leading zeros are written as 8, so 33 bits are, of which 32 are zeros.
  const ByteBuffer encoded = encode_floats({0, uint64_t{1} << 23});
  EXPECT_EQ(to_hex(ByteView(encoded).subspan(9, 2)), "d108");
}

TEST(FloatCodec, AllBitsOfADifferenceAreSixtyFour) {
  EXPECT_EQ(to_hex(ByteView(encode_floats({0, ~uint64_t{0} - 1, 1})).subspan(9, 2)), "c1ff");
  EXPECT_EQ(to_hex(ByteView(encode_floats({0, ~uint64_t{0}})).subspan(9, 2)), "c007");
}

TEST(FloatCodec, RefusesAnotherNumberOfValues) {
  const ByteBuffer encoded = encode_floats({1, 2, 3});
  for (const size_t count : std::vector<size_t>{0, 1, 2, 4, 5, 1000}) {
    std::vector<uint64_t> out(count);
    EXPECT_THROW(decode_tsm_floats(encoded, out), TsmFormatError);
  }
}

TEST(FloatCodec, RefusesAWindowOfTooManyBits) {
  ByteBuffer bytes(32, std::byte{0xff});  // 31 leading zeros and 63 bits
  bytes[0] = std::byte{0x10};
  std::vector<uint64_t> out(3);
  EXPECT_THROW(decode_tsm_floats(bytes, out), TsmFormatError);
}

TEST(FloatCodec, RefusesAWindowOfBeforeThatThereIsNot) {
  ByteBuffer bytes(32);
  bytes[0] = std::byte{0x10};
  bytes[9] = std::byte{0x80};
  std::vector<uint64_t> out(3);
  EXPECT_THROW(decode_tsm_floats(bytes, out), TsmFormatError);
}

}  // namespace
}  // namespace tsmfs::index
