#include "index/blocks/string_codec.h"

#include <snappy.h>

#include <cstring>

#include "index/blocks/go_snappy.h"

namespace tsmfs::index {

namespace {

constexpr std::byte kStringsHead{0x10};
// An element of three bytes gives at most 64.
constexpr size_t kSnappyGrowthMax = 22;

void uncompress_snappy(ByteView bytes, ByteBuffer& out) {
  const std::string_view text = as_text(bytes);
  size_t length = 0;
  if (!snappy::GetUncompressedLength(text.data(), text.size(), &length) ||
      length > kSnappyGrowthMax * text.size())
    throw TsmFormatError{"a block with strings that are not compressed with snappy"};
  if (length > kTsmTextBytesMax) throw TsmFormatError{"a block of more text than tsmfs decodes"};
  out.resize(length);
  if (!snappy::RawUncompress(text.data(), text.size(), reinterpret_cast<char*>(out.data())))
    throw TsmFormatError{"a block with strings that cannot be uncompressed"};
}

}  // namespace

void decode_tsm_strings(ByteView values, size_t count, TsmPoints& out) {
  if (take_tsm_bytes(values, 1)[0] != kStringsHead)
    throw TsmFormatError{"a block with an unknown encoding of strings"};
  uncompress_snappy(values, out.text);
  part_tsm_strings(count, out);
}

void join_tsm_strings(const TsmPoints& points, ByteBuffer& plain) {
  plain.resize(points.text.size() + kTsmUvarintBytesMax * points.text_ends.size());
  std::byte* to = plain.data();
  for (size_t i = 0; i < points.text_ends.size(); ++i) {
    const ByteView string = points.string(i);
    to = put_tsm_uvarint(to, string.size());
    if (!string.empty()) std::memcpy(to, string.data(), string.size());
    to += string.size();
  }
  plain.resize(static_cast<size_t>(to - plain.data()));
}

void part_tsm_strings(size_t count, TsmPoints& points) {
  points.text_ends.resize(count);
  size_t number = 0;
  ByteView left = points.text;
  std::byte* to = points.text.data();  // moves the strings over the lengths before them
  while (!left.empty()) {
    if (number == count) throw TsmFormatError{"a block of more strings than times"};
    const ByteView string = take_tsm_bytes(left, take_tsm_uvarint(left));
    if (!string.empty()) std::memmove(to, string.data(), string.size());
    to += string.size();
    points.text_ends[number++] = static_cast<uint32_t>(to - points.text.data());
  }
  if (number != count) throw TsmFormatError{"a block of fewer strings than times"};
  points.text.resize(static_cast<size_t>(to - points.text.data()));
}

size_t tsm_strings_bytes_max(size_t plain_bytes) {
  return 1 + go_snappy_bytes_max(plain_bytes);
}

std::byte* encode_tsm_strings(ByteView plain, std::byte* to) {
  *to++ = kStringsHead;
  return go_snappy(plain, to);
}

}  // namespace tsmfs::index
