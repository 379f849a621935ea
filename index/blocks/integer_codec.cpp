#include "index/blocks/integer_codec.h"

#include <algorithm>

#include "index/blocks/simple8b.h"

namespace tsmfs::index {

namespace {

enum class IntegersEncoding : uint8_t { kRaw = 0, kSimple8b = 1, kRunLength = 2 };

std::byte integers_head(IntegersEncoding encoding) {
  return static_cast<std::byte>(static_cast<unsigned>(encoding) << 4);
}

void require_count(bool holds) {
  if (!holds) throw TsmFormatError{"a block of fewer or more integers than times"};
}

void read_words(ByteView words, std::span<uint64_t> out) {
  require_count(words.size() == out.size() * 8);
  for (size_t i = 0; i < out.size(); ++i) out[i] = load_be<uint64_t>(words.data() + 8 * i);
}

void read_packed(ByteView words, std::span<uint64_t> out) {
  out[0] = take_tsm_word(words);
  if (words.size() % kSimple8bWordBytes != 0) throw TsmFormatError{"a block with half an integer"};
  require_count(count_simple8b(words) == out.size() - 1);
  unpack_simple8b(words, out.data() + 1);
}

void read_run(ByteView bytes, std::span<uint64_t> out) {
  out[0] = take_tsm_word(bytes);
  const uint64_t delta = take_tsm_uvarint(bytes);
  require_count(take_tsm_uvarint(bytes) == out.size() - 1);
  std::fill(out.begin() + 1, out.end(), delta);
}

std::byte* put_words(std::span<const uint64_t> deltas, std::byte* to) {
  *to++ = integers_head(IntegersEncoding::kRaw);
  for (const uint64_t delta : deltas) to = put_tsm_word(to, delta);
  return to;
}

std::byte* put_integer_run(std::span<const uint64_t> deltas, std::byte* to) {
  *to++ = integers_head(IntegersEncoding::kRunLength);
  to = put_tsm_word(to, deltas[0]);
  to = put_tsm_uvarint(to, deltas[1]);
  return put_tsm_uvarint(to, deltas.size() - 1);
}

}  // namespace

void decode_tsm_integers(ByteView values, std::span<uint64_t> out) {
  require_count(!out.empty());
  const auto head = std::to_integer<uint8_t>(take_tsm_bytes(values, 1)[0]);
  switch (static_cast<IntegersEncoding>(head >> 4)) {
    case IntegersEncoding::kRaw:
      read_words(values, out);
      break;
    case IntegersEncoding::kSimple8b:
      read_packed(values, out);
      break;
    case IntegersEncoding::kRunLength:
      read_run(values, out);
      break;
    default:
      throw TsmFormatError{"a block with an unknown encoding of integers"};
  }
  uint64_t value = 0;
  for (uint64_t& place : out) place = value += static_cast<uint64_t>(unzigzag(place));
}

std::byte* encode_tsm_integers(std::span<const uint64_t> values, TsmDialect dialect,
                               std::vector<uint64_t>& deltas, std::byte* to) {
  deltas.resize(values.size());
  deltas[0] = zigzag(static_cast<int64_t>(values[0]));
  uint64_t all_bits = 0, unequal_bits = 0;
  for (size_t i = 1; i < deltas.size(); ++i) {
    deltas[i] = zigzag(static_cast<int64_t>(values[i] - values[i - 1]));
    all_bits |= deltas[i];
    unequal_bits |= deltas[i] ^ deltas[1];
  }
  if (unequal_bits == 0 && deltas.size() > 2) return put_integer_run(deltas, to);
  // The first value is no part of the words, but the stream encoder asks about it too.
  if (dialect == TsmDialect::kStream) all_bits |= deltas[0];
  if (all_bits > kSimple8bValueMax) return put_words(deltas, to);
  *to++ = integers_head(IntegersEncoding::kSimple8b);
  to = put_tsm_word(to, deltas[0]);
  return pack_simple8b(
      std::span(deltas).subspan(1),
      dialect == TsmDialect::kStream ? RunsOfOnes::kOnlyAtTheEnd : RunsOfOnes::kAnywhere, to);
}

}  // namespace tsmfs::index
