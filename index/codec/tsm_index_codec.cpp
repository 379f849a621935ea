#include "index/codec/tsm_index_codec.h"

#include <algorithm>

#include "index/codec/section.h"
#include "index/tsm/tsm_index.h"

namespace tsmfs::index {

namespace {

constexpr size_t kKeyLengthBytes = 2, kHeadBytes = 3;
constexpr size_t kMinAt = 0, kMaxAt = 8, kOffsetAt = 16, kLengthAt = 24;  // in an entry
bool is_whole_keys(ByteView piece) {
  if (piece.empty()) return false;
  while (!piece.empty()) {
    const size_t length = tsm_index_key_bytes(piece);
    if (length == 0) return false;
    piece = piece.subspan(length);
  }
  return true;
}

int64_t difference(uint64_t value, uint64_t expected) {
  return static_cast<int64_t>(value - expected);
}

class IndexDecoder {
 public:
  IndexDecoder(ByteView stored, MutableByteView out, std::string_view object)
      : out_(out), in_(stored, object), object_(object) {}

  void run() {
    // A difference of 8 bytes takes up to 10.
    const uint64_t section_bytes_max = 2 * static_cast<uint64_t>(out_.size());
    for (RawBuffer& section : sections_) section = read_section(in_, section_bytes_max);
    in_.expect_end();
    ByteReader keys = reader(0), shapes = reader(1);
    ByteReader mins = reader(2), spans = reader(3), lengths = reader(4), offsets = reader(5);
    while (!keys.at_end()) {
      take_key(keys);
      const uint8_t type = shapes.u8();
      const auto count = static_cast<uint16_t>(shapes.varint(UINT16_MAX));
      std::byte* head = claim(kHeadBytes);
      head[0] = static_cast<std::byte>(type);
      store_be(head + 1, count);
      expected_.begin_key();
      for (uint16_t i = 0; i < count; ++i) {
        const uint64_t min = expected_.min() + static_cast<uint64_t>(mins.svarint());
        const uint64_t span = expected_.span() + static_cast<uint64_t>(spans.svarint());
        const auto length = static_cast<uint32_t>(lengths.varint(UINT32_MAX));
        const uint64_t offset = expected_.offset() + static_cast<uint64_t>(offsets.svarint());
        std::byte* entry = claim(kTsmIndexEntryBytes);
        store_be(entry + kMinAt, min);
        store_be(entry + kMaxAt, min + span);
        store_be(entry + kOffsetAt, offset);
        store_be(entry + kLengthAt, length);
        expected_.add({min, span}, offset, length);
      }
    }
    for (const ByteReader* rest : {&shapes, &mins, &spans, &lengths, &offsets}) rest->expect_end();
    if (done_ != out_.size()) in_.fail("index entries of fewer bytes than were wanted");
  }

 private:
  ByteReader reader(size_t section) { return {sections_[section].view(), object_}; }

  std::byte* claim(size_t length) {
    if (length > out_.size() - done_) in_.fail("index entries of more bytes than were wanted");
    std::byte* at = out_.data() + done_;
    done_ += length;
    return at;
  }

  void take_key(ByteReader& keys) {
    const size_t shared = keys.varint(key_.size());
    const ByteView rest = keys.sized(UINT16_MAX - shared);
    const size_t length = shared + rest.size();
    std::byte* at = claim(kKeyLengthBytes + length);
    store_be(at, static_cast<uint16_t>(length));
    at += kKeyLengthBytes;
    std::ranges::copy(key_.first(shared), at);
    std::ranges::copy(rest, at + shared);
    key_ = {at, length};
  }

  MutableByteView out_;
  size_t done_ = 0;
  ByteReader in_;
  std::string_view object_;
  RawBuffer sections_[6];
  ByteView key_;  // the one before, in out_
  TsmIndexExpectation expected_;
};

}  // namespace

bool TsmIndexEncoder::add(ByteView piece) {
  if (!is_whole_keys(piece)) return false;
  while (!piece.empty()) {
    const size_t length = load_be<uint16_t>(piece.data()), whole = tsm_index_key_bytes(piece);
    add_key(piece.subspan(kKeyLengthBytes, length),
            piece.first(whole).subspan(kKeyLengthBytes + length));
    piece = piece.subspan(whole);
  }
  return true;
}

void TsmIndexEncoder::add_key(ByteView key, ByteView head_and_entries) {
  const size_t shared = static_cast<size_t>(std::ranges::mismatch(key_, key).in1 - key_.begin());
  ByteWriter keys(keys_), shapes(shapes_);
  keys.varint(shared);
  keys.sized(key.subspan(shared));
  key_.assign(key.begin(), key.end());
  shapes.u8(std::to_integer<uint8_t>(head_and_entries[0]));
  shapes.varint(load_be<uint16_t>(head_and_entries.data() + 1));
  ByteWriter mins(mins_), spans(spans_), lengths(lengths_), offsets(offsets_);
  expected_.begin_key();
  for (ByteView rest = head_and_entries.subspan(kHeadBytes); !rest.empty();
       rest = rest.subspan(kTsmIndexEntryBytes)) {
    const uint64_t min = load_be<uint64_t>(rest.data() + kMinAt);
    const uint64_t span = load_be<uint64_t>(rest.data() + kMaxAt) - min;
    const uint64_t offset = load_be<uint64_t>(rest.data() + kOffsetAt);
    const uint32_t length = load_be<uint32_t>(rest.data() + kLengthAt);
    mins.svarint(difference(min, expected_.min()));
    spans.svarint(difference(span, expected_.span()));
    lengths.varint(length);
    offsets.svarint(difference(offset, expected_.offset()));
    expected_.add({min, span}, offset, length);
  }
}

void TsmIndexEncoder::encode(ByteBuffer& out, ZstdCompressor& zstd) const {
  for (const ByteBuffer* section : {&keys_, &shapes_, &mins_, &spans_, &lengths_, &offsets_})
    append_section(out, *section, zstd);
}

void decode_tsm_index(ByteView stored, MutableByteView out, std::string_view object) {
  IndexDecoder(stored, out, object).run();
}

}  // namespace tsmfs::index
