#include "index/blocks/go_snappy.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "index/blocks/string_codec.h"

namespace tsmfs::index {
namespace {

ByteBuffer go_snappy_of(std::string_view plain) {
  ByteBuffer out(go_snappy_bytes_max(plain.size()));
  out.resize(static_cast<size_t>(go_snappy(as_bytes(plain), out.data()) - out.data()));
  return out;
}

// As the one string of a block, since decoding one is by snappy's own library.
std::string back_from(std::string_view plain) {
  ByteBuffer with_length;
  ByteWriter(with_length).sized(as_bytes(plain));
  ByteBuffer out(tsm_strings_bytes_max(with_length.size()));
  out.resize(static_cast<size_t>(encode_tsm_strings(with_length, out.data()) - out.data()));
  TsmPoints points;
  decode_tsm_strings(out, 1, points);
  return std::string(as_text(points.text));
}

TEST(GoSnappy, ShortTextIsALiteral) {
  EXPECT_EQ(to_hex(go_snappy_of("aaaaaaaaaaaaaaaa")), "103c61616161616161616161616161616161");
  EXPECT_EQ(to_hex(go_snappy_of("")), "00");
}

TEST(GoSnappy, LongCopiesLeaveNoRestThatIsTooShort) {
  // A literal of one byte, then the copies: 64 and 4; 60 and 6; 64.
  EXPECT_EQ(to_hex(go_snappy_of(std::string(69, 'a'))),
            "45"
            "0061"
            "fe0100"
            "0101");
  EXPECT_EQ(to_hex(go_snappy_of(std::string(67, 'a'))),
            "43"
            "0061"
            "ee0100"
            "0901");
  EXPECT_EQ(to_hex(go_snappy_of(std::string(65, 'a'))),
            "41"
            "0061"
            "fe0100");
}

TEST(GoSnappy, MatchesDoNotCrossPieces) {
  const std::string piece(65536, 'a');
  const ByteBuffer one = go_snappy_of(piece), two = go_snappy_of(piece + piece);
  EXPECT_EQ(two.size() - 3, 2 * (one.size() - 3));
}

TEST(GoSnappy, AnyTextComesBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string text(random() % 300, '\0');
    const auto letters = static_cast<char>(1 + random() % 100);
    for (char& letter : text) letter = static_cast<char>(random() % 256) % letters;
    EXPECT_EQ(back_from(text), text);
  }
  std::string large;
  while (large.size() < 200'000) large += std::to_string(random() % 5000) + " lines; ";
  EXPECT_EQ(back_from(large), large);
}

TEST(StringCodec, RefusesWhatCannotBe) {
  const auto refused = [](const ByteBuffer& values, size_t count) {
    TsmPoints points;
    EXPECT_THROW(decode_tsm_strings(values, count, points), TsmFormatError);
    EXPECT_LT(points.text.capacity(), 1024u);
  };
  refused({}, 1);
  refused({std::byte{0x20}, std::byte{0}}, 1);
  // One gibibyte of text, of six bytes.
  refused({std::byte{0x10}, std::byte{0x80}, std::byte{0x80}, std::byte{0x80}, std::byte{0x80},
           std::byte{0x04}},
          1);
  const ByteBuffer plain = {std::byte{1}, std::byte{'a'}, std::byte{0}};
  ByteBuffer two(tsm_strings_bytes_max(plain.size()));
  two.resize(static_cast<size_t>(encode_tsm_strings(plain, two.data()) - two.data()));
  for (const size_t count : std::vector<size_t>{0, 1, 3}) refused(two, count);
}

}  // namespace
}  // namespace tsmfs::index
