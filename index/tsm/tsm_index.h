// The index section of a TSM file, read strictly, front to back, through a window.
//
// Format: InfluxDB 1.x, tsdb/engine/tsm1. For each key, in order: key length (2), key, block type
// (1), count of blocks (2), and for each block its first and last time (8 each, nanoseconds),
// offset (8) and length with CRC (4). All big-endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "index/blocks/tsm_block.h"
#include "index/format/byte_source.h"

namespace tsmfs::index {

constexpr uint64_t kTsmHeaderBytes = 5;
constexpr uint64_t kTsmFooterBytes = 8;
constexpr std::string_view kTsmFieldSeparator = "#!~#";  // in a key, between series and field

// Of a key with its entries.
constexpr size_t kTsmIndexEntryBytes = 28;
constexpr size_t kTsmIndexKeyBytesMax = 2 + UINT16_MAX + 3 + UINT16_MAX * kTsmIndexEntryBytes;
// The bytes of the key with its entries that begins there; 0 when that does not lie in them as a
// whole, or its type is none.
size_t tsm_index_key_bytes(ByteView bytes);

struct TsmBlockEntry {
  int64_t min_time_ns = 0;
  int64_t max_time_ns = 0;
  uint64_t offset = 0;
  uint32_t length = 0;  // CRC included
};

// Checks header and footer; the offset of the index. Throws: TsmFormatError, and what `source`
// throws.
uint64_t read_tsm_index_offset(ByteSource& source);

// The window on an index: any key fits into the smaller one, for those who read many files at once.
constexpr size_t kTsmIndexWindowBytes = 256 << 10;
constexpr size_t kTsmIndexWindowBytesMin = 64 << 10;

// Not thread safe. Memory: the window, at most as large as the index, one key and its blocks.
// Requires: `source` outlives it.
class TsmIndexCursor {
 public:
  // `begin` is the index offset. Requires: `source` has a sound header and footer; window_bytes >=
  // kTsmIndexWindowBytesMin.
  TsmIndexCursor(ByteSource& source, uint64_t begin, size_t window_bytes = kTsmIndexWindowBytes);
  // The next key; false at the end. Throws: TsmFormatError when keys are out of order or an entry
  // cannot be, and what `source` throws.
  bool next();
  const std::string& key() const { return key_; }
  uint8_t type() const { return type_; }
  const std::vector<TsmBlockEntry>& blocks() const { return blocks_; }

 private:
  ByteView take(size_t length);
  [[noreturn]] void fail(const char* what) const;

  ByteSource& source_;
  uint64_t position_, end_;
  uint64_t window_begin_ = 0;
  RawBuffer window_;
  size_t window_size_ = 0;
  std::string key_;
  uint8_t type_ = 0;
  std::vector<TsmBlockEntry> blocks_;
};

}  // namespace tsmfs::index
