#include "index/codec/columns_codec.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "index/blocks/boolean_codec.h"
#include "index/blocks/float_codec.h"
#include "index/blocks/integer_codec.h"
#include "index/blocks/string_codec.h"
#include "index/blocks/time_codec.h"
#include "index/blocks/tsm_block.h"
#include "index/codec/section.h"

namespace tsmfs::index {

namespace {

constexpr uint8_t kTypeMask = 7, kBatchFlag = 8, kSameTimesFlag = 16;
constexpr unsigned kOrderShift = 5;
// Smaller blocks are joined in a chunk (index/cut/file_cutter.cpp); where one ends, its CRC says.
constexpr size_t kJoinedBlockBytesMax = 512;

size_t values_bytes_max(uint8_t type, size_t count, size_t plain_bytes) {
  switch (type) {
    case kTsmFloatType:
      return tsm_floats_bytes_max(count);
    case kTsmBooleanType:
      return tsm_booleans_bytes_max(count);
    case kTsmStringType:
      return tsm_strings_bytes_max(plain_bytes);
    default:
      return tsm_integers_bytes_max(count);
  }
}

// The first bytes that are a block by their CRC; nothing when there are none.
std::optional<size_t> first_block(ByteView bytes) {
  if (bytes.size() <= kTsmCrcBytes) return std::nullopt;
  if (is_sound_tsm_block(bytes)) return bytes.size();
  const uint32_t wanted = load_be<uint32_t>(bytes.data());
  uint32_t crc = 0;
  const size_t end = std::min(bytes.size(), kJoinedBlockBytesMax);
  for (size_t i = kTsmCrcBytes; i < end; ++i) {
    crc = update_tsm_crc(crc, bytes.subspan(i, 1));
    if (crc == wanted) return i + 1;
  }
  return std::nullopt;
}

using Sections = std::array<RawBuffer, 8>;

Sections read_sections(ByteView stored, size_t out_bytes, std::string_view object) {
  uint64_t bytes_left = columns_bytes_max(out_bytes);
  ByteReader in(stored, object);
  Sections sections;
  for (RawBuffer& section : sections) {
    section = read_section(in, bytes_left, kPackSlackBytes);
    bytes_left -= section.size();
  }
  in.expect_end();
  return sections;
}

class ColumnsDecoder {
 public:
  ColumnsDecoder(ByteView stored, MutableByteView out, std::string_view object)
      : out_(out), object_(object), sections_(read_sections(stored, out.size(), object)) {}

  void run() {
    ByteReader kinds = reader(0);
    while (!kinds.at_end()) next_block(kinds.u8());
    integers_.expect_end();
    for (const ByteReader* rest : {&heads_, &times_, &groups_, &words_, &lengths_, &text_})
      rest->expect_end();
    if (done_ != out_.size()) kinds.fail("blocks of fewer bytes than were wanted");
  }

 private:
  ByteReader reader(size_t section) { return {sections_[section].view(), object_}; }

  void next_block(uint8_t kind) {
    const uint8_t type = kind & kTypeMask;
    if (type > kTsmUnsignedType) heads_.fail("a block of an unknown type");
    if ((kind & kSameTimesFlag) == 0) {
      count_ = heads_.varint(kTsmPointsPerBlockMax);
      if (count_ == 0) heads_.fail("a block without points");
      time_bytes_ = times_.raw(heads_.varint(times_.remaining()));
    } else if (count_ == 0) {
      heads_.fail("a block with the times of none");
    }
    values_.resize(count_);
    size_t plain_bytes = 0;
    if (type == kTsmStringType) {
      if (kind >> kOrderShift != 0) heads_.fail("strings with an order");
      read_strings();
      plain_bytes = plain_.size();
    } else {
      read_values(type, kind >> kOrderShift);
    }
    put_block(type, (kind & kBatchFlag) != 0 ? TsmDialect::kBatch : TsmDialect::kStream,
              plain_bytes);
  }

  void read_values(uint8_t type, unsigned order) {
    if (order > kOrderMax) heads_.fail("a column of an unknown order");
    if (type == kTsmFloatType) floats_.read(count_, heads_, words_);
    integers_.next(order, values_);
    if (type == kTsmFloatType) floats_.to_floats(values_, heads_);
    if (type == kTsmBooleanType &&
        std::ranges::any_of(values_, [](auto value) { return value > 1; }))
      heads_.fail("a boolean that is neither 0 nor 1");
  }

  // As join_tsm_strings() has them.
  void read_strings() {
    plain_.clear();
    for (size_t i = 0; i < count_; ++i) {
      const ByteView string = text_.raw(lengths_.varint(text_.remaining()));
      std::byte length[kTsmUvarintBytesMax];
      append(plain_, {length, put_tsm_uvarint(length, string.size())});
      append(plain_, string);
    }
  }

  void put_block(uint8_t type, TsmDialect dialect, size_t plain_bytes) {
    const size_t bytes_max = kTsmCrcBytes + 1 + kTsmUvarintBytesMax + time_bytes_.size() +
                             values_bytes_max(type, count_, plain_bytes);
    if (block_.capacity() < bytes_max) block_ = RawBuffer(bytes_max);
    std::byte* to = block_.data() + kTsmCrcBytes;
    *to++ = static_cast<std::byte>(type);
    to = put_tsm_uvarint(to, time_bytes_.size());
    std::memcpy(to, time_bytes_.data(), time_bytes_.size());
    to = put_values(type, dialect, to + time_bytes_.size());
    const auto length = static_cast<size_t>(to - block_.data());
    if (length > out_.size() - done_) heads_.fail("blocks of more bytes than were wanted");
    const ByteView data(block_.data() + kTsmCrcBytes, length - kTsmCrcBytes);
    store_be(block_.data(), update_tsm_crc(0, data));
    std::memcpy(out_.data() + done_, block_.data(), length);
    done_ += length;
  }

  std::byte* put_values(uint8_t type, TsmDialect dialect, std::byte* to) {
    switch (type) {
      case kTsmFloatType:
        return encode_tsm_floats(values_, to);
      case kTsmBooleanType:
        return encode_tsm_booleans(values_, to);
      case kTsmStringType:
        return encode_tsm_strings(plain_, to);
      default:
        return encode_tsm_integers(values_, dialect, deltas_, to);
    }
  }

  MutableByteView out_;
  size_t done_ = 0;
  std::string_view object_;
  const Sections sections_;
  ByteReader heads_ = reader(1), times_ = reader(2), groups_ = reader(3);
  ByteReader words_ = reader(5), lengths_ = reader(6), text_ = reader(7);
  IntegerColumnDecoder integers_{heads_, groups_, sections_[4].view()};
  FloatColumn floats_;
  size_t count_ = 0;
  ByteView time_bytes_;
  std::vector<uint64_t> values_, deltas_;
  ByteBuffer plain_;
  RawBuffer block_;
};

}  // namespace

bool ColumnsEncoder::add(ByteView piece) {
  if (piece.empty() || !read_blocks(piece)) return false;
  for (size_t i = 0; i < block_count_; ++i) add_block(blocks_[i]);
  block_bytes_ += piece.size();
  return true;
}

bool ColumnsEncoder::read_blocks(ByteView piece) {
  block_count_ = 0;
  while (!piece.empty()) {
    const auto length = first_block(piece);
    if (!length) return false;
    if (blocks_.size() == block_count_) blocks_.emplace_back();
    if (!read_block(piece.first(*length), blocks_[block_count_++])) return false;
    piece = piece.subspan(*length);
  }
  return true;
}

bool ColumnsEncoder::read_block(ByteView bytes, Block& block) {
  try {
    block.bytes = bytes;
    block.parts = split_tsm_block(bytes);
    block.points.type = block.parts.type;
    TsmPoints& points = block.points;
    decode_tsm_times(block.parts.times, points.times_ns);
    if (points.times_ns.empty()) return false;
    points.values.resize(points.times_ns.size());
    switch (points.type) {
      case kTsmFloatType:
        decode_tsm_floats(block.parts.values, points.values);
        break;
      case kTsmBooleanType:
        decode_tsm_booleans(block.parts.values, points.values);
        break;
      case kTsmStringType:
        decode_tsm_strings(block.parts.values, points.times_ns.size(), points);
        break;
      default:
        decode_tsm_integers(block.parts.values, points.values);
    }
  } catch (const TsmFormatError&) {
    return false;
  }
  for (const TsmDialect dialect : {TsmDialect::kStream, TsmDialect::kBatch}) {
    block.dialect = dialect;
    if (gives_values(block)) return gives_head(block);
    if (block.points.type != kTsmIntegerType && block.points.type != kTsmUnsignedType) break;
  }
  return false;
}

// Whether the points give the values' bytes again.
bool ColumnsEncoder::gives_values(const Block& block) {
  const TsmPoints& points = block.points;
  plain_.clear();
  if (points.type == kTsmStringType) join_tsm_strings(points, plain_);
  const size_t bytes_max = values_bytes_max(points.type, points.times_ns.size(), plain_.size());
  if (again_.capacity() < bytes_max) again_ = RawBuffer(bytes_max);
  const std::byte* end = nullptr;
  switch (points.type) {
    case kTsmFloatType:
      end = encode_tsm_floats(points.values, again_.data());
      break;
    case kTsmBooleanType:
      end = encode_tsm_booleans(points.values, again_.data());
      break;
    case kTsmStringType:
      end = encode_tsm_strings(plain_, again_.data());
      break;
    default:
      end = encode_tsm_integers(points.values, block.dialect, deltas_, again_.data());
  }
  const ByteView values = block.parts.values;
  return static_cast<size_t>(end - again_.data()) == values.size() &&
         std::memcmp(again_.data(), values.data(), values.size()) == 0;
}

// Whether the length of the times is written as this program does.
bool ColumnsEncoder::gives_head(const Block& block) {
  std::byte length[kTsmUvarintBytesMax];
  const std::byte* const end = put_tsm_uvarint(length, block.parts.times.size());
  return block.bytes.size() == kTsmCrcBytes + 1 + static_cast<size_t>(end - length) +
                                   block.parts.times.size() + block.parts.values.size();
}

void ColumnsEncoder::add_block(const Block& block) {
  const TsmPoints& points = block.points;
  const ByteView times = block.parts.times;
  ByteWriter heads(sections_.heads);
  uint8_t kind = points.type;
  if (block.dialect == TsmDialect::kBatch) kind |= kBatchFlag;
  if (!times_before_.empty() && std::ranges::equal(times_before_, times)) {
    kind |= kSameTimesFlag;
  } else {
    heads.varint(points.times_ns.size());
    heads.varint(times.size());
    append(times_, times);
    times_before_.assign(times.begin(), times.end());
  }
  if (points.type == kTsmStringType) {
    ByteWriter lengths(lengths_);
    for (size_t i = 0; i < points.text_ends.size(); ++i) lengths.varint(points.string(i).size());
    append(text_, ByteView(points.text).first(points.text_ends.back()));
  } else {
    std::span<const uint64_t> values = points.values;
    if (points.type == kTsmFloatType) values = floats_.add(values, sections_.heads, words_);
    kind |= static_cast<uint8_t>(integers_.add(values, sections_) << kOrderShift);
  }
  ByteWriter(kinds_).u8(kind);
}

std::vector<const ByteBuffer*> ColumnsEncoder::all_sections() const {
  return {&kinds_,         &sections_.heads, &times_,   &sections_.groups,
          &sections_.bits, &words_,          &lengths_, &text_};
}

bool ColumnsEncoder::can_be_read() const {
  uint64_t bytes = 0;
  for (const ByteBuffer* section : all_sections()) bytes += section->size();
  return bytes <= columns_bytes_max(block_bytes_);
}

void ColumnsEncoder::encode(ByteBuffer& out, ZstdCompressor& zstd) const {
  for (const ByteBuffer* section : all_sections()) append_section(out, *section, zstd);
}

void decode_columns(ByteView stored, MutableByteView out, std::string_view object) {
  ColumnsDecoder(stored, out, object).run();
}

}  // namespace tsmfs::index
