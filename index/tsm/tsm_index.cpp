#include "index/tsm/tsm_index.h"

#include <fmt/format.h>

#include <algorithm>

namespace tsmfs::index {

namespace {

constexpr uint32_t kTsmMagic = 0x16D116D1;
constexpr uint8_t kTsmVersion = 1;
constexpr uint8_t kBlockTypeMax = kTsmUnsignedType;

}  // namespace

uint64_t read_tsm_index_offset(ByteSource& source) {
  const uint64_t size = source.size();
  if (size < kTsmHeaderBytes + kTsmFooterBytes)
    throw TsmFormatError{fmt::format("only {} bytes long", size)};
  const ByteView header = source.view(0, kTsmHeaderBytes);
  if (load_be<uint32_t>(header.data()) != kTsmMagic)
    throw TsmFormatError{"it does not begin with the magic number of a TSM file"};
  if (std::to_integer<uint8_t>(header[4]) != kTsmVersion)
    throw TsmFormatError{fmt::format("TSM version {}", std::to_integer<int>(header[4]))};
  const uint64_t offset =
      load_be<uint64_t>(source.view(size - kTsmFooterBytes, kTsmFooterBytes).data());
  if (offset < kTsmHeaderBytes || offset > size - kTsmFooterBytes)
    throw TsmFormatError{fmt::format("its footer puts the index at byte {} of {}", offset, size)};
  return offset;
}

size_t tsm_index_key_bytes(ByteView bytes) {
  constexpr size_t kKeyLengthBytes = 2, kHeadBytes = 3;
  if (bytes.size() < kKeyLengthBytes) return 0;
  const size_t head = kKeyLengthBytes + load_be<uint16_t>(bytes.data());
  if (bytes.size() < head + kHeadBytes) return 0;
  if (std::to_integer<uint8_t>(bytes[head]) > kBlockTypeMax) return 0;
  const size_t count = load_be<uint16_t>(bytes.data() + head + 1);
  const size_t length = head + kHeadBytes + count * kTsmIndexEntryBytes;
  return length <= bytes.size() ? length : 0;
}

TsmIndexCursor::TsmIndexCursor(ByteSource& source, uint64_t begin, size_t window_bytes)
    : source_(source),
      position_(begin),
      end_(source.size() - kTsmFooterBytes),
      window_(static_cast<size_t>(std::min<uint64_t>(window_bytes, end_ - begin))) {}

bool TsmIndexCursor::next() {
  if (position_ == end_) return false;
  const size_t key_length = load_be<uint16_t>(take(2).data());
  const std::string_view key = as_text(take(key_length));
  if (key.empty()) fail("an empty key");
  if (key <= key_) fail("keys that are not in order");
  key_ = key;
  const ByteView head = take(3);
  type_ = std::to_integer<uint8_t>(head[0]);
  if (type_ > kBlockTypeMax) fail("an unknown block type");
  const uint16_t count = load_be<uint16_t>(head.data() + 1);
  if (count == 0) fail("a key without blocks");
  blocks_.clear();
  for (uint16_t i = 0; i < count; ++i) {
    const std::byte* entry = take(kTsmIndexEntryBytes).data();
    blocks_.push_back({static_cast<int64_t>(load_be<uint64_t>(entry)),
                       static_cast<int64_t>(load_be<uint64_t>(entry + 8)),
                       load_be<uint64_t>(entry + 16), load_be<uint32_t>(entry + 24)});
    if (blocks_.back().min_time_ns > blocks_.back().max_time_ns)
      fail("a block that ends before it begins");
  }
  return true;
}

// Good until the next call. The window is a copy, so that the caller may look at blocks between two
// keys.
ByteView TsmIndexCursor::take(size_t length) {
  if (length > end_ - position_) fail("an entry that is cut off");
  if (position_ < window_begin_ || position_ + length > window_begin_ + window_size_) {
    window_size_ = static_cast<size_t>(std::min<uint64_t>(window_.size(), end_ - position_));
    const ByteView seen = source_.view(position_, window_size_);
    std::memcpy(window_.data(), seen.data(), window_size_);
    window_begin_ = position_;
  }
  const ByteView taken = window_.view().subspan(position_ - window_begin_, length);
  position_ += length;
  return taken;
}

void TsmIndexCursor::fail(const char* what) const {
  throw TsmFormatError{fmt::format("{} in its index, at byte {}", what, position_)};
}

}  // namespace tsmfs::index
