#include "index/tsm_layout.h"

#include <fmt/format.h>
#include <libdeflate.h>

#include <algorithm>
#include <optional>

namespace tsmfs::index {

namespace {

constexpr uint32_t kTsmMagic = 0x16D116D1;
constexpr uint8_t kTsmVersion = 1;
constexpr size_t kIndexWindowBytes = 256 << 10;
constexpr size_t kIndexEntryBytes = 28;
constexpr uint8_t kBlockTypeMax = 4;  // float, integer, boolean, string, unsigned

struct Defect {
  std::string what;
};
[[noreturn]] void fail(std::string what) {
  throw Defect{std::move(what)};
}

// The index section, read front to back through a window.
class IndexReader {
 public:
  IndexReader(ByteSource& source, uint64_t begin, uint64_t end)
      : source_(source), position_(begin), end_(end) {}
  bool at_end() const { return position_ == end_; }
  uint64_t position() const { return position_; }
  // Good until the next call.
  ByteView take(size_t length) {
    if (length > end_ - position_)
      fail(fmt::format("its index ends in mid-entry, at byte {}", end_));
    if (position_ < window_begin_ || position_ + length > window_begin_ + window_.size()) {
      window_begin_ = position_;
      window_ = source_.view(
          position_, std::min<uint64_t>(std::max(length, kIndexWindowBytes), end_ - position_));
    }
    const ByteView taken = window_.subspan(position_ - window_begin_, length);
    position_ += length;
    return taken;
  }

 private:
  ByteSource& source_;
  uint64_t position_, end_;
  uint64_t window_begin_ = 0;
  ByteView window_;
};

// The index offset. Checks header and footer.
uint64_t read_ends(ByteSource& source) {
  const uint64_t size = source.size();
  if (size < kTsmHeaderBytes + kTsmFooterBytes) fail(fmt::format("only {} bytes long", size));
  const ByteView header = source.view(0, kTsmHeaderBytes);
  if (load_be<uint32_t>(header.data()) != kTsmMagic)
    fail("it does not begin with the magic number of a TSM file");
  if (std::to_integer<uint8_t>(header[4]) != kTsmVersion)
    fail(fmt::format("TSM version {}", std::to_integer<int>(header[4])));
  const uint64_t offset =
      load_be<uint64_t>(source.view(size - kTsmFooterBytes, kTsmFooterBytes).data());
  if (offset < kTsmHeaderBytes || offset > size - kTsmFooterBytes)
    fail(fmt::format("its footer puts the index at byte {} of {}", offset, size));
  return offset;
}

// One key's entry of the index; appends its blocks' lengths.
void read_key(IndexReader& index, std::string& last_key, uint64_t& expected_offset,
              TsmLayout& layout) {
  const size_t key_length = load_be<uint16_t>(index.take(2).data());
  const std::string_view key = as_text(index.take(key_length));
  if (key.empty()) fail(fmt::format("an empty key in its index at byte {}", index.position()));
  if (key <= last_key && !last_key.empty())
    fail(fmt::format("its keys are not in order at byte {}", index.position()));
  last_key = key;
  const ByteView head = index.take(3);
  if (std::to_integer<uint8_t>(head[0]) > kBlockTypeMax)
    fail(fmt::format("an unknown block type at byte {}", index.position()));
  const uint16_t count = load_be<uint16_t>(head.data() + 1);
  if (count == 0) fail(fmt::format("a key without blocks at byte {}", index.position()));
  for (uint16_t i = 0; i < count; ++i) {
    const ByteView entry = index.take(kIndexEntryBytes);
    const auto min_time = static_cast<int64_t>(load_be<uint64_t>(entry.data()));
    const auto max_time = static_cast<int64_t>(load_be<uint64_t>(entry.data() + 8));
    const uint64_t offset = load_be<uint64_t>(entry.data() + 16);
    const uint32_t length = load_be<uint32_t>(entry.data() + 24);
    if (min_time > max_time)
      fail(fmt::format("a block that ends before it begins, at byte {} of the index",
                       index.position()));
    if (offset != expected_offset || length <= kTsmCrcBytes ||
        length > layout.index_offset - offset)
      fail(fmt::format("block {} is not where it should be: {} bytes at byte {}",
                       layout.block_lengths.size(), length, offset));
    expected_offset = offset + length;
    layout.block_lengths.push_back(length);
  }
}

}  // namespace

std::variant<TsmLayout, TsmDefect> read_tsm_layout(ByteSource& source) {
  try {
    TsmLayout layout;
    layout.index_offset = read_ends(source);
    IndexReader index(source, layout.index_offset, source.size() - kTsmFooterBytes);
    uint64_t expected_offset = kTsmHeaderBytes;
    std::string last_key;
    while (!index.at_end()) read_key(index, last_key, expected_offset, layout);
    if (layout.block_lengths.empty()) fail("its index names no blocks");
    if (expected_offset != layout.index_offset)
      fail(fmt::format("its last block ends at byte {}, but its index begins at {}",
                       expected_offset, layout.index_offset));
    return layout;
  } catch (Defect& defect) {
    return TsmDefect{std::move(defect.what)};
  }
}

uint32_t update_tsm_crc(uint32_t crc, ByteView data) {
  return libdeflate_crc32(crc, data.data(), data.size());
}

bool is_sound_tsm_block(ByteView block) {
  return update_tsm_crc(0, block.subspan(kTsmCrcBytes)) == load_be<uint32_t>(block.data());
}

}  // namespace tsmfs::index
